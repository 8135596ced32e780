"""The one way to tell people something: a notice, and in the same transaction what comes of it.

Whoever has something to tell calls `tell` before the commit that makes it true. The notice is what
the portal shows; from it come a mail for each person who wants one, and a delivery for each
webhook of the account that wants the kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from portal.accounts.mails import mail_to
from portal.accounts.models import Role, User, UserProfile
from portal.database import current_settings, db
from portal.notices import damping, webhooks
from portal.notices.kinds import RULES, Kind, Level, Way, default_way
from portal.notices.models import Notice, NoticePreference


@dataclass(frozen=True)
class News:
    """What there is to tell.

    `path` begins with `/`; `about` is the row that it is about, `name` what people call it.
    `concerned` are people who get a mail unless they chose otherwise, `only_for` the one person
    whom it is about. For the two keys see `Notice`.
    """

    kind: Kind
    level: Level
    subject: str
    text: str
    path: str
    about: Any = None
    name: str = ""
    concerned: tuple[int | None, ...] = ()
    only_for: int | None = None
    damping_key: str = ""
    once_key: str | None = None


def tell(account_id: int, news: News, now: datetime) -> Notice | None:
    """Write the notice and all that comes of it; None where it was told under its `once_key`."""
    notice = Notice(
        account_id=account_id,
        user_id=news.only_for,
        kind=news.kind,
        level=news.level,
        subject=news.subject[:255],
        text=news.text,
        path=news.path,
        object_type=type(news.about).__name__ if news.about is not None else "",
        object_id=getattr(news.about, "id", None),
        object_name=news.name[:255],
        damping_key=news.damping_key,
        once_key=news.once_key,
        concerned=[number for number in news.concerned if number is not None],
        held_until=damping.held_until(account_id, news.damping_key, now),
        created_at=now,
    )
    if not _stored(notice):
        return None
    if notice.held_until is None:
        fan_out(notice, now)
    return notice


def _stored(notice: Notice) -> bool:
    if notice.once_key is None:
        db.session.add(notice)
        db.session.flush()
        return True
    try:
        with db.session.begin_nested():
            db.session.add(notice)
    except IntegrityError:  # told already, perhaps by another process just now
        return False
    return True


def fan_out(notice: Notice, now: datetime) -> None:
    """The mails and the messages to webhooks that come of a stored notice."""
    text = f"{notice.text}\n\nSee it in the portal: {url_of(notice)}\n"
    for person in recipients(notice):
        mail = mail_to(person, notice.account_id, notice.subject, text, now)
        mail.notice_id = notice.id
        db.session.add(mail)
    if not RULES[notice.kind].is_personal:
        webhooks.deliver(notice, now)


def url_of(notice: Notice) -> str:
    """Where to look, as an address for mails."""
    return f"{current_settings().platform_url}{notice.path}"


def recipients(notice: Notice) -> list[User]:
    """Who gets a mail: the one person it is about, else whoever of the account wants one."""
    if notice.user_id is not None:
        return [db.session.get_one(User, notice.user_id)]
    rows = db.session.execute(_people(notice)).all()
    return [profile.user for profile, way in rows if _wants_mail(notice, profile, way)]


def _people(notice: Notice) -> Select[tuple[UserProfile, Way | None]]:
    chosen = NoticePreference.kind == notice.kind
    return (
        select(UserProfile, NoticePreference.way)
        .outerjoin(NoticePreference, chosen & (NoticePreference.user_id == UserProfile.user_id))
        .where(
            UserProfile.account_id == notice.account_id,
            UserProfile.removed_at.is_(None),
            UserProfile.user.has(User.is_enabled.is_(True)),
        )
        .order_by(UserProfile.id)
    )


def _wants_mail(notice: Notice, profile: UserProfile, chosen: Way | None) -> bool:
    rule, is_admin = RULES[notice.kind], profile.role == Role.ADMIN
    is_concerned = profile.user_id in notice.concerned
    if (rule.for_admins and not is_admin) or (profile.is_guest and not is_concerned):
        return False
    usual = default_way(notice.kind, is_admin=is_admin)
    if is_concerned:
        usual = Way.MAIL
    if rule.is_security and usual == Way.MAIL:
        return True
    return (chosen or usual) == Way.MAIL
