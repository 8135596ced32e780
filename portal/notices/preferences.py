"""How one person wants to be told: what they chose, else what is usual for their role."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, select

from portal.accounts.models import Role, UserProfile
from portal.database import db
from portal.notices.kinds import DEPLOYMENTS, DOMAINS, RULES, Kind, Way, default_way
from portal.notices.models import NoticePreference

WORDS = {
    Way.MAIL: "by mail",
    Way.PORTAL: "in the portal",
    Way.NOTHING: "not at all",
}
IF_CONCERNED = {
    DEPLOYMENTS: "by mail if you began it",
    DOMAINS: "by mail if you added it",
}


def kinds_for(profile: UserProfile) -> list[Kind]:
    """Those that a person of this role can be told of."""
    is_admin = profile.role == Role.ADMIN
    return [kind for kind in Kind if is_admin or not RULES[kind].for_admins]


def is_fixed(kind: Kind, profile: UserProfile) -> bool:
    """Whether the person cannot choose: mails about security."""
    return RULES[kind].is_security and usual_way(kind, profile) == Way.MAIL


def usual_way(kind: Kind, profile: UserProfile) -> Way:
    return default_way(kind, is_admin=profile.role == Role.ADMIN)


def usual_words(kind: Kind, profile: UserProfile) -> str:
    """`by mail`, `in the portal, by mail if you began it`."""
    way = usual_way(kind, profile)
    concerned = IF_CONCERNED.get(RULES[kind].group)
    if way == Way.MAIL or concerned is None:
        return WORDS[way]
    return f"{WORDS[way]}, {concerned}"


def chosen(user_id: int) -> dict[Kind, Way]:
    """What the person chose; other kinds are told as usual."""
    query = select(NoticePreference).where(NoticePreference.user_id == user_id)
    return {one.kind: one.way for one in db.session.scalars(query)}


def choose(user_id: int, ways: Mapping[Kind, Way | None]) -> None:
    """Store a choice for each of these kinds; None for as usual. The caller commits."""
    db.session.execute(
        delete(NoticePreference)
        .where(NoticePreference.user_id == user_id, NoticePreference.kind.in_(list(ways)))
        .execution_options(synchronize_session=False)
    )
    db.session.add_all(
        NoticePreference(user_id=user_id, kind=kind, way=way)
        for kind, way in ways.items()
        if way is not None
    )
