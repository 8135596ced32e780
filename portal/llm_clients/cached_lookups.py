"""The mission's cached getters: what was found stays in the process until something changes."""

from __future__ import annotations

from typing import Any, Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, User, UserProfile
from portal.caching import cache
from portal.database import db


class CachedLookups:
    """Mixed into LLMClient; the cache holds detached rows, callers get their own copy."""

    @classmethod
    def get_cached_object(
        cls,
        *,
        invalidate: bool = False,
        pk: int | None = None,
        name: str | None = None,
        user: User | None = None,
        user_profile: UserProfile | None = None,
        account: Account | None = None,
    ) -> Self | None:
        """The one client that fits everything given, else None; `invalidate` reads it anew."""
        given = {
            "id": pk,
            "name": name,
            "user_profile_id": user_profile.id if user_profile else None,
            "account_id": account.id if account else None,
        }
        filters = {column: value for column, value in given.items() if value is not None}
        user_id = user.id if user else None
        if not filters:
            return None
        found = cls._cached(("one", tuple(filters.items()), user_id), filters, user_id, invalidate)
        return found[0] if found else None

    @classmethod
    def get_cached_objects(
        cls, user_profile: UserProfile | None = None, *, invalidate: bool = False
    ) -> list[Self]:
        """All clients of a profile, by name; none without a profile."""
        if user_profile is None:
            return []
        filters = {"user_profile_id": user_profile.id}
        return cls._cached(("all", user_profile.id), filters, None, invalidate)

    @classmethod
    def _cached(
        cls, key: tuple[Any, ...], filters: dict[str, Any], user_id: int | None, invalidate: bool
    ) -> list[Self]:
        if invalidate:
            cache().forget()
        rows = cache().get(
            (cls.__tablename__, *key),  # type: ignore[attr-defined]
            lambda: cls._load(filters, user_id),
        )
        return [db.session.merge(row, load=False) for row in rows]

    @classmethod
    def _load(cls, filters: dict[str, Any], user_id: int | None) -> list[Self]:
        """Read in a session of its own, so that the rows stay whole when it closes."""
        query = select(cls).filter_by(**filters).order_by(cls.name)  # type: ignore[attr-defined]
        if user_id is not None:
            owner = UserProfile.id == cls.user_profile_id  # type: ignore[attr-defined]
            query = query.join(UserProfile, owner).where(UserProfile.user_id == user_id)
        with Session(db.engine, expire_on_commit=False) as session:
            rows = list(session.scalars(query).unique())
            session.expunge_all()
        return rows
