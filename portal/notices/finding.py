"""What one person may see of an account's notices, what is new to them, and what they have seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Subquery,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.exc import IntegrityError

from portal.accounts.models import Role, UserProfile
from portal.database import db
from portal.notices.kinds import RULES, Kind, Way
from portal.notices.models import Notice, NoticePreference, NoticeReader, SeenNotice

PAGE_SIZE = 30
MOST_UNSEEN = 100
LOOKED_AT = 500
FOR_ADMINS = tuple(kind for kind in Kind if RULES[kind].for_admins)


@dataclass(frozen=True)
class Reader:
    """What the queries have to know of a person: values, or parameters of one that is kept."""

    user_id: Any
    account_id: Any
    created_at: Any
    role: Role


def shown_to(profile: UserProfile | Reader) -> ColumnElement[bool]:
    """The account's notices for everybody and those for this person, without unwanted kinds."""
    unwanted = exists().where(
        NoticePreference.user_id == profile.user_id,
        NoticePreference.kind == Notice.kind,
        NoticePreference.way == Way.NOTHING,
    )
    shown = [
        Notice.account_id == profile.account_id,
        or_(Notice.user_id.is_(None), Notice.user_id == profile.user_id),
        Notice.held_until.is_(None),
        ~unwanted,
    ]
    if profile.role != Role.ADMIN:
        shown.append(Notice.kind.not_in(FOR_ADMINS))
    return and_(*shown)


def unseen_by(profile: UserProfile | Reader) -> ColumnElement[bool]:
    """What the person has not seen; what was told before they came is not new to them."""
    seen_to = (
        select(NoticeReader.seen_to)
        .where(
            NoticeReader.user_id == profile.user_id,
            NoticeReader.account_id == profile.account_id,
        )
        .scalar_subquery()
    )
    seen = exists().where(SeenNotice.notice_id == Notice.id, SeenNotice.user_id == profile.user_id)
    return and_(
        Notice.id > func.coalesce(seen_to, 0), Notice.created_at >= profile.created_at, ~seen
    )


def _newest(profile: UserProfile | Reader) -> Subquery:
    """What new ones are looked for among, so that nobody who reads none has a slow page."""
    return (
        select(Notice.id)
        .where(Notice.account_id == profile.account_id)
        .order_by(Notice.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )


def count_unseen(profile: UserProfile | Reader) -> ScalarSelect[int]:
    """How many of the newest LOOKED_AT are new, to MOST_UNSEEN; a part of a query."""
    newest = _newest(profile)
    some = (
        select(Notice.id)
        .join_from(newest, Notice, Notice.id == newest.c.id)
        .where(shown_to(profile), unseen_by(profile))
        .limit(MOST_UNSEEN)
        .subquery()
    )
    return select(func.count()).select_from(some).scalar_subquery()


def page(
    profile: UserProfile, before: int | None, *, only_unseen: bool = False
) -> tuple[list[tuple[Notice, bool]], int | None]:
    """Notices, newest first, and whether each is new; where the next page begins."""
    query = select(Notice, unseen_by(profile).label("is_new"))
    number: ColumnElement[int] = Notice.id.expression
    if only_unseen:
        newest = _newest(profile)
        number = newest.c.id
        query = query.join_from(newest, Notice, Notice.id == number).where(unseen_by(profile))
    query = query.where(shown_to(profile)).order_by(number.desc()).limit(PAGE_SIZE + 1)
    if before is not None:
        query = query.where(number < before)
    found = [(row[0], bool(row[1])) for row in db.session.execute(query)]
    older = found[PAGE_SIZE - 1][0].id if len(found) > PAGE_SIZE else None
    return found[:PAGE_SIZE], older


def for_person(profile: UserProfile, notice_id: int) -> Notice | None:
    """One notice that the person may see."""
    return db.session.scalar(select(Notice).where(Notice.id == notice_id, shown_to(profile)))


def see(profile: UserProfile, notice: Notice) -> None:
    """Note that the person has seen one; a second time changes nothing."""
    _add_once(SeenNotice(user_id=profile.user_id, notice_id=notice.id))


def _add_once(row: SeenNotice | NoticeReader) -> None:
    """Add a row that may be there already, or come from another tab just now."""
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        return


def see_all(profile: UserProfile, up_to: int, now: datetime) -> None:
    """Note that the person has seen all up to a number; what came later stays new."""
    ids = {"user_id": profile.user_id, "account_id": profile.account_id}
    _add_once(NoticeReader(**ids, seen_to=0))
    query = select(NoticeReader).filter_by(**ids).with_for_update()
    reader = db.session.scalars(query).one()
    reader.seen_to, reader.updated_at = max(reader.seen_to, up_to), now
    of_account = select(Notice.id).where(
        Notice.account_id == profile.account_id, Notice.id <= up_to
    )
    db.session.execute(
        delete(SeenNotice)
        .where(SeenNotice.user_id == profile.user_id, SeenNotice.notice_id.in_(of_account))
        .execution_options(synchronize_session=False)
    )
