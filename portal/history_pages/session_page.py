"""What the page of one session shows: everything that was said, with what happened between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import url_for

from portal.formatting import StatusView, money, number, plural, seconds_in_words
from portal.history_pages import conversation
from portal.history_pages.conversation import Said
from portal.history_pages.one_request import Turn
from portal.request_history.models import Prompt
from portal.request_history.rating import WORDS
from portal.request_history.rows import status_of

GAP = timedelta(minutes=10)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Exchange:
    """One request of the session; `between` is what happened before it."""

    id: int
    at: datetime
    clock: str
    between: tuple[str, ...]
    said: tuple[Said, ...]
    status: StatusView
    url: str
    is_gone: bool


def exchanges(turns: Sequence[Turn], zone: ZoneInfo) -> list[Exchange]:
    """In their order, with gaps and changes of the revision told before each."""
    found: list[Exchange] = []
    last: Turn | None = None
    for turn in turns:
        row = turn[0]
        found.append(
            Exchange(
                id=row.id,
                at=row.created_at,
                clock=f"{row.created_at.astimezone(zone):%H:%M:%S}",
                between=tuple(_between(last, turn, zone)),
                said=tuple(conversation.of_turn(*turn)),
                status=status_of(row),
                url=url_for("request_history.show", request_id=row.id),
                is_gone=row.body_id is None,
            )
        )
        last = turn
    return found


def _between(last: Turn | None, turn: Turn, zone: ZoneInfo) -> list[str]:
    row = turn[0]
    local = row.created_at.astimezone(zone)
    day = f"{local:%A} {local.day} {local:%B} {local.year}"
    if last is None:
        return [day]
    before = last[0]
    told = []
    gap = row.created_at - before.created_at
    if gap >= GAP:
        told.append(f"{in_words(gap)} later")
    if before.created_at.astimezone(zone).date() != local.date():
        told.append(day)
    if before.revision_number != row.revision_number and row.revision_number:
        told.append(f"Revision {row.revision_number} from here, before it {before.revision_number}")
    return told


def in_words(gap: timedelta) -> str:
    """`12 min`, `2 h`, `3 days`."""
    if gap < DAY:
        return seconds_in_words(gap.total_seconds())
    return plural(gap.days, "day", "days")


def totals(session: Prompt, zone: ZoneInfo, currency: str) -> list[tuple[str, str]]:
    """What it came to."""
    started, last = (moment.astimezone(zone) for moment in (session.started_at, session.last_at))
    length = session.last_at - session.started_at
    told = [
        ("Began", f"{started:%Y-%m-%d %H:%M:%S}"),
        ("Last request", f"{last:%Y-%m-%d %H:%M:%S}"),
        ("Lasted", in_words(max(length, timedelta(0)))),
        ("Requests", number(session.request_count)),
        ("Without an answer", number(session.error_count)),
        ("Tokens", number(session.tokens)),
        ("Cost", money(session.cost_micros, currency)),
        ("Rating", WORDS.get(session.rating or 0, "Not rated")),
        ("Browser", session.user_agent),
    ]
    return [(label, value) for label, value in told if value]
