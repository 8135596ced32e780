"""Who publishes a domain's records, and which of the optional ones: chosen, with its event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from portal.accounts import audit
from portal.accounts.audit import Actor
from portal.custom_domains import claims, zone_editing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.domain_setup import needed, zone_tests
from portal.domain_setup.forms import settings_of
from portal.domain_setup.jobs import try_zone_editor
from portal.job_queue import enqueue

MANUAL = "manual"


def choose(
    custom_domain: LLMClientCustomDomain,
    kind: str,
    typed: Mapping[str, str],
    actor: Actor,
    now: datetime,
) -> None:
    """This editor with these checked settings, tried at once; an empty secret stays as it is."""
    before = custom_domain.zone_editor
    zone_editing.keep_values(custom_domain, kind, settings_of(kind), typed)
    zone_tests.forget(custom_domain)
    secrets = [one.name for one in settings_of(kind) if one.secret and typed.get(one.name)]
    audit.record(
        actor,
        "custom_domain_editor_changed",
        custom_domain,
        name=custom_domain.domain_name,
        before={"zone_editor": before},
        after={"zone_editor": kind, **custom_domain.zone_editor_settings, "replaced": secrets},
    )
    if kind != MANUAL:
        begin_test(custom_domain, now)
    _look_soon(custom_domain, now)


def begin_test(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Let the chosen editor write a record and remove it, in the background."""
    begun = zone_tests.begin(custom_domain, now)
    enqueue(try_zone_editor, begun.id, key=f"{begun.id}-{begun.generation}")


def set_options(
    custom_domain: LLMClientCustomDomain,
    actor: Actor,
    now: datetime,
    *,
    wants_wildcard: bool,
    wants_delegation: bool,
) -> None:
    """Which of the optional records are wanted."""
    before = _options(custom_domain)
    custom_domain.wants_wildcard = wants_wildcard
    custom_domain.wants_delegation = wants_delegation
    audit.record(
        actor,
        "custom_domain_options_changed",
        custom_domain,
        name=custom_domain.domain_name,
        before=before,
        after=_options(custom_domain),
    )
    _look_soon(custom_domain, now)


def _options(custom_domain: LLMClientCustomDomain) -> dict[str, bool]:
    return {
        "wants_wildcard": custom_domain.wants_wildcard,
        "wants_delegation": custom_domain.wants_delegation,
    }


def _look_soon(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """What is needed has changed, or who publishes it."""
    claims.watch(custom_domain, now)
    needed.show(custom_domain, now)
