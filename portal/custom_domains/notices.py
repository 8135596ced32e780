"""What the account's people are told about their domains; mails listen here, as hosts do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from portal.custom_domains.models import CustomDomainEvent, LLMClientCustomDomain
from portal.custom_domains.results import CheckResult
from portal.database import db

LONGEST = 1000


class Notices(StrEnum):
    """Worth a mail; everything else is only a line of the timeline."""

    VERIFIED = "verified"
    FAILING = "failing"
    RECOVERED = "recovered"
    AT_RISK = "at_risk"
    LOST = "lost"
    CONTESTED = "contested"
    PAUSED = "paused"


Listener = Callable[[LLMClientCustomDomain, Notices, str, datetime], None]
_listeners: list[Listener] = []


def on_notice(function: Listener) -> Listener:
    """Register who tells people, in the same transaction: domain, what, the sentence, now."""
    _listeners.append(function)
    return function


def announce_notice(
    custom_domain: LLMClientCustomDomain, notice: Notices, message: str, now: datetime
) -> None:
    """A line of the timeline that is worth a mail as well; before the commit."""
    note(custom_domain, message, now, reason=notice)
    for function in _listeners:
        function(custom_domain, notice, message, now)


def note(
    custom_domain: LLMClientCustomDomain,
    message: str,
    now: datetime,
    *,
    reason: str = "",
    result: CheckResult | None = None,
) -> None:
    """A line of the domain's timeline."""
    db.session.add(
        CustomDomainEvent(
            custom_domain_id=custom_domain.id,
            verdict=result.verdict if result else "",
            reason=(result.reason or "") if result else reason,
            message=message[:LONGEST],
            created_at=now,
        )
    )
