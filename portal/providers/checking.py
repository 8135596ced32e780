"""Testing a provider's key as verbs: begin, and store what was learnt. One try, no repetition."""

from __future__ import annotations

from datetime import datetime

from portal.errors import AdapterError
from portal.formatting import plural, status_view
from portal.llm_providers import ProviderError
from portal.providers.models import Provider

RUNNING, WORKS, UNSURE, FAILED = "running", "works", "unsure", "failed"
MOST_MODELS = 500
MOST_BROKEN_OFF = 3
NOT_FOUND = 404
LOOKS = {
    "": status_view("off", "Not tested"),
    RUNNING: status_view("progress", "Being tested"),
    WORKS: status_view("ready", "Works"),
    UNSURE: status_view("attention", "Cannot tell"),
    FAILED: status_view("failed", "Does not work"),
}
# For the account's people, who can do something about it; visitors get other words.
SENTENCES = {
    "timeout": "It did not answer in time.",
    "rate_limited": "It refuses for now: too many requests.",
    "unavailable": "It has a problem of its own.",
    "refused": "It refused the key.",
    "malformed": "What it answered is not a list of models. Does the base URL end in /v1?",
    "too_large": "Its list of models is too long to be one.",
    "unreachable": "It cannot be reached at this address.",
    "bad_url": "This address cannot be used.",
    "forbidden_address": "This address is not on the public internet.",
}


def begin(provider: Provider, now: datetime) -> None:
    """Wish for a test, due now; one that is under way is enough."""
    if provider.check_state == RUNNING:
        return
    provider.check_state = RUNNING
    provider.message = ""
    provider.next_attempt_at = now
    provider.broken_off = 0
    provider.attempt = 0


def record_models(provider: Provider, models: tuple[str, ...], now: datetime) -> None:
    """Keep what models there are; the key works, unless a list is told without one."""
    provider.found_models = list(models[:MOST_MODELS])
    told = f"It has {plural(len(models), 'model', 'models')}"
    if provider.vendor and provider.vendor.lists_without_key:
        _end(provider, UNSURE, f"{told}, told without a key, so the key could not be tested.", now)
        return
    _end(provider, WORKS, f"{told}.", now)


def record_failure(provider: Provider, error: AdapterError, now: datetime) -> None:
    """Say why; a provider without a list of models is not called broken."""
    status = error.http_status if isinstance(error, ProviderError) else None
    if status == NOT_FOUND:
        sentence = "It answers, but tells no list of models, so the key could not be tested."
        _end(provider, UNSURE, sentence, now)
        return
    said = SENTENCES.get(error.reason, "It refused the question.")
    words = error.detail if status or error.reason == "malformed" else ""
    _end(provider, FAILED, f"{said} It said: {words}"[:1000] if words else said, now)


def gave_up(provider: Provider, now: datetime) -> bool:
    """Whether the worker broke off too often at this test; then it is over."""
    if provider.broken_off <= MOST_BROKEN_OFF:
        return False
    _end(provider, UNSURE, "The worker broke off while testing; its log says why.", now)
    return True


def _end(provider: Provider, state: str, message: str, now: datetime) -> None:
    provider.check_state = state
    provider.message = message
    provider.checked_at = now
    provider.next_attempt_at = None
    provider.leased_until = None
    provider.broken_off = 0
