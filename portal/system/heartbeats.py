"""Noting and reading signs of life."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal.database import db
from portal.system.models import Heartbeat


def note(name: str, now: datetime, text: str = "") -> None:
    """`name` is alive now; the caller commits."""
    row = db.session.get(Heartbeat, name)
    if row is None:
        db.session.add(Heartbeat(name=name, seen_at=now, note=text))
    else:
        row.seen_at, row.note = now, text


def seen_at(name: str) -> datetime | None:
    """When `name` was last alive, as far as the database knows."""
    return db.session.scalar(select(Heartbeat.seen_at).where(Heartbeat.name == name))


def all_seen() -> list[Heartbeat]:
    return list(db.session.scalars(select(Heartbeat).order_by(Heartbeat.name)))
