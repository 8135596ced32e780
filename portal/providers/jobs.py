"""The worker's part of a test: claim the provider, ask it once, store what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from portal.adapters import current_adapters
from portal.database import db, utc_now
from portal.errors import AdapterError, PortalError
from portal.job_queue import Ring, claim, job, rings_of, still_ours, sweep
from portal.providers import checking, finding
from portal.providers.models import Provider

MOST_AT_ONCE = 50


@job
def check_provider(provider_id: int) -> None:
    """Ask a provider for its models with the stored key."""
    provider = claim(Provider, provider_id, utc_now())
    if provider is None or checking.gave_up(provider, utc_now()):
        db.session.commit()
        return
    generation, base_url = provider.generation, finding.base_url_of(provider)
    answer: tuple[str, ...] | AdapterError
    try:
        api_key = finding.key_of(provider)
        db.session.rollback()
        answer = current_adapters().list_models(base_url, api_key)
    except AdapterError as error:
        answer = error
    except PortalError as error:
        answer = AdapterError(error.public_message, reason="sealed", detail=error.public_message)
    db.session.rollback()
    provider = still_ours(Provider, provider_id, generation)
    if provider is not None and isinstance(answer, AdapterError):
        checking.record_failure(provider, answer, utc_now())
    elif provider is not None:
        checking.record_models(provider, answer, utc_now())
    db.session.commit()


@sweep
def due_checks(now: datetime) -> Iterator[Ring]:
    """Providers whose test is due and in nobody's hands."""
    yield from rings_of(Provider, check_provider, now, most=MOST_AT_ONCE)
