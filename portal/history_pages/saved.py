"""Saved views: whose they are, who sees and changes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from portal.accounts.audit import Actor, record
from portal.accounts.models import Role, UserProfile
from portal.database import db
from portal.history_pages.models import SavedView

MOST = 50


def seen_by(profile: UserProfile) -> Sequence[SavedView]:
    """One's own and those that are shared with the account, by name."""
    query = (
        select(SavedView)
        .where(
            SavedView.account_id == profile.account_id,
            or_(SavedView.user_profile_id == profile.id, SavedView.is_shared),
        )
        .order_by(SavedView.name, SavedView.id)
        .limit(MOST)
    )
    return db.session.scalars(query.options(joinedload(SavedView.user_profile))).unique().all()


def may_change(profile: UserProfile, view: SavedView) -> bool:
    """One's own; an admin may change what is shared, too."""
    return view.user_profile_id == profile.id or (view.is_shared and profile.role == Role.ADMIN)


def to_change(profile: UserProfile, view_id: int) -> SavedView | None:
    """A view that this person may change; None for any other."""
    found = db.session.get(SavedView, view_id)
    if found is None or found.account_id != profile.account_id:
        return None
    return found if may_change(profile, found) else None


def save(
    profile: UserProfile, name: str, query: dict[str, str], is_shared: bool, actor: Actor
) -> SavedView:
    """Keep a view; one's own of the same name is changed."""
    mine = select(SavedView).where(
        SavedView.account_id == profile.account_id,
        SavedView.user_profile_id == profile.id,
        SavedView.name == name,
    )
    view = db.session.scalars(mine.limit(1)).one_or_none()
    if view is None:
        view = SavedView(account_id=profile.account_id, user_profile_id=profile.id, name=name)
        db.session.add(view)
        action = "saved_view_created"
    else:
        action = "saved_view_changed"
    view.query, view.is_shared = query, is_shared
    record(actor, action, view, after=told(view))
    return view


def change(view: SavedView, name: str, is_shared: bool, actor: Actor) -> None:
    """Another name, shared or no longer."""
    before = told(view)
    view.name, view.is_shared = name, is_shared
    record(actor, "saved_view_changed", view, before=before, after=told(view))


def delete(view: SavedView, actor: Actor) -> None:
    """Nobody has it any more; the requests stay."""
    record(actor, "saved_view_deleted", view, before=told(view))
    db.session.delete(view)


def told(view: SavedView) -> dict[str, Any]:
    """For the audit log."""
    return {"name": view.name, "query": view.query, "is_shared": view.is_shared}
