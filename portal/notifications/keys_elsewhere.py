"""API keys that are used from a network that they were never used from before.

The first network of a key is nothing new. Programs of a large cloud come from ever other networks,
so of one key at most five are told in thirty days; the fifth notice says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from portal.database import db
from portal.notices.kinds import Kind, Level
from portal.notices.telling import News, tell
from portal.request_history.key_networks import APIKeyNetwork
from portal.vault.models import AuthToken

MOST_AT_ONCE = 200
MOST_TOLD, WINDOW = 5, timedelta(days=30)
NO_MORE = "It is used from many networks, so you are not told of more of them for thirty days."


def look(now: datetime) -> bool:
    """One round over networks that nobody looked at; each in a transaction of its own."""
    query = (
        select(APIKeyNetwork.id)
        .where(APIKeyNetwork.looked_at.is_(None))
        .order_by(APIKeyNetwork.id)
        .limit(MOST_AT_ONCE)
    )
    numbers = list(db.session.scalars(query))
    for number in numbers:
        _look_at(number, now)
        db.session.commit()
    db.session.rollback()
    return len(numbers) < MOST_AT_ONCE


def _look_at(number: int, now: datetime) -> None:
    query = select(APIKeyNetwork).where(APIKeyNetwork.id == number).with_for_update()
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None or found.looked_at is not None:
        return
    found.looked_at = now
    key = db.session.get(AuthToken, found.api_key_id)
    told = _told_lately(found, now)
    if key is not None and _was_used_elsewhere(found) and told < MOST_TOLD:
        found.told_at = now
        tell(key.account_id, _news(key, found, is_last=told + 1 == MOST_TOLD), now)


def _was_used_elsewhere(found: APIKeyNetwork) -> bool:
    query = select(APIKeyNetwork.id).where(
        APIKeyNetwork.api_key_id == found.api_key_id, APIKeyNetwork.id < found.id
    )
    return db.session.scalar(query.limit(1)) is not None


def _told_lately(found: APIKeyNetwork, now: datetime) -> int:
    query = select(func.count(APIKeyNetwork.id)).where(
        APIKeyNetwork.api_key_id == found.api_key_id, APIKeyNetwork.told_at > now - WINDOW
    )
    return db.session.scalar(query) or 0


def _news(key: AuthToken, found: APIKeyNetwork, *, is_last: bool) -> News:
    sentences = [
        f"The API key {key.name} ({key.prefix}…) was used from a network that it was never used "
        f"from before, on {found.created_at:%d %B %Y, %H:%M} UTC.",
        "If that was not a program of yours, rotate the key and choose that the old one stops "
        "at once.",
        NO_MORE if is_last else "",
    ]
    return News(
        kind=Kind.KEY_USED_ELSEWHERE,
        level=Level.LOOK,
        subject=f"The API key {key.name} is used from a new network",
        text="\n".join(sentence for sentence in sentences if sentence),
        path=f"/api-keys/{key.id}/",
        about=key,
        name=key.name,
        concerned=(key.created_by_id,),
        once_key=f"key/{key.id}/{found.id}",
    )
