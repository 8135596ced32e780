"""The page of the log: events as rows, and what is shown around them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g, url_for

from portal.accounts.models import AuditEvent
from portal.audit_log import chains, checks, listing
from portal.audit_log.changes import Change, changes_of
from portal.audit_log.filters import Filters
from portal.audit_log.models import PLATFORM
from portal.audit_log.sealing import NOT_OURS
from portal.audit_log.words import (
    ACTIONS,
    THINGS,
    WAYS,
    action_in_words,
    thing_in_words,
    way_in_words,
)
from portal.request_history import ranges
from portal.web import number_argument

NOBODY = "Nobody who is signed in"


@dataclass(frozen=True)
class EventRow:
    """One event as it is read."""

    id: int
    created_at: datetime
    title: str
    what: str
    who: str
    address: str
    way: str
    changes: list[Change]
    object_url: str
    place: int | None
    is_ours: bool


def row_of(event: AuditEvent, username: str | None, view: str) -> EventRow:
    """An event with the address of all that is told of its thing."""
    has_thing = bool(event.object_type in THINGS and event.object_id)
    return EventRow(
        id=event.id,
        created_at=event.created_at,
        title=action_in_words(event.action),
        what=" ".join(
            part for part in (thing_in_words(event.object_type), event.object_name) if part
        ),
        who=username or ("The portal" if event.by == "job" else NOBODY),
        address=event.address,
        way=way_in_words(event.by),
        changes=changes_of(event.before, event.after),
        object_url=url_for(view, object=event.object_type, id=event.object_id) if has_thing else "",
        place=event.sequence or None,
        is_ours=event.sequence != NOT_OURS,
    )


def content(number: int, filters: Filters, view: str) -> dict[str, Any]:
    """All that the page shows."""
    before = number_argument("before")
    found, older = listing.page(number, filters.conditions(), before)
    rows = [row_of(event, username, view) for event, username in found]
    head = chains.find(number)
    query = filters.query
    return {
        "rows": rows,
        "filters": filters,
        "view": view,
        "query": query,
        "subject": rows[0].what if filters["id"] and rows else "",
        "older_url": url_for(view, before=older, **query) if older else None,
        "newest_url": url_for(view, **query) if before else None,
        "check": checks.of_chain(number),
        "removed_to": head.anchor_at if head else None,
        "people": listing.people(number) if number != PLATFORM else [],
        "actions": sorted(ACTIONS.items(), key=lambda item: item[1]),
        "things": sorted(THINGS.items(), key=lambda item: item[1]),
        "ways": list(WAYS.items()),
        "ranges": [("", "Any time"), *ranges.CHOICES],
        "days": g.account.audit_days,
    }
