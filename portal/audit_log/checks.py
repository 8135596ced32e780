"""The portal's own look at the chains: what it found last, and telling who runs the portal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select

from portal.accounts.models import Account, User, UserProfile
from portal.audit_log.models import PLATFORM, AuditChain, AuditCheck
from portal.audit_log.verifying import Found
from portal.database import db
from portal.formatting import plural, status_view
from portal.notices.kinds import Kind, Level
from portal.notices.telling import News, tell
from portal.system.looks import Look, on_looks

EVERY = timedelta(hours=6)
MOST_SHOWN = 20
PLATFORM_NAME = "What belongs to no account"


def of_chain(number: int) -> AuditCheck | None:
    return db.session.scalar(select(AuditCheck).where(AuditCheck.number == number))


def unchecked(most: int) -> list[int]:
    """Numbers of the chains that have no check yet."""
    has_one = exists().where(AuditCheck.number == AuditChain.number)
    return list(db.session.scalars(select(AuditChain.number).where(~has_one).limit(most)))


def begin(number: int, now: datetime) -> None:
    """A check of a chain, due now. Raises IntegrityError where there is one."""
    account_id = number if number != PLATFORM else None
    db.session.add(AuditCheck(number=number, account_id=account_id, next_attempt_at=now))
    db.session.flush()


def begin_again(number: int, now: datetime) -> None:
    """The chain is another one: what was found before is over, the next look begins now."""
    check = of_chain(number)
    if check is not None:
        check.problem, check.problem_at, check.checked_to = "", None, 0
        check.next_attempt_at = now


def record(check: AuditCheck, found: Found, now: datetime) -> None:
    """Store what a step of a round came to, and when the next is due."""
    check.seen_at = now
    if found.problem:
        _record_problem(check, found.problem, now)
    elif not found.is_whole:
        check.checked_to, check.next_attempt_at = found.last, now
    else:
        check.checked_to, check.whole_at = 0, now
        check.problem, check.problem_at = "", None
        check.next_attempt_at = now + EVERY


def _record_problem(check: AuditCheck, problem: str, now: datetime) -> None:
    check.checked_to, check.next_attempt_at = 0, now + EVERY
    is_known, check.problem = bool(check.problem), problem
    if not is_known:
        check.problem_at = now
        _tell_superusers(check, now)


def _tell_superusers(check: AuditCheck, now: datetime) -> None:
    for user_id, account_id in _superusers():
        name = _name_of(check)
        news = News(
            kind=Kind.AUDIT_LOG_ALTERED,
            level=Level.BAD,
            subject=f"The audit log is not as the portal wrote it: {name}",
            text=f"{check.problem}\n\nLook into it before anything else is changed. "
            "verify-audit-log on the command line checks all of it.",
            path="/system/",
            about=check,
            name=name,
            only_for=user_id,
            once_key=f"audit/{check.number}/{user_id}/{now.isoformat(timespec='seconds')}",
        )
        tell(account_id, news, now)


def _superusers() -> list[tuple[int, int]]:
    """Each with the first account in which they have a place."""
    query = (
        select(User.id, func.min(UserProfile.account_id))
        .join(UserProfile, UserProfile.user_id == User.id)
        .where(User.is_superuser, UserProfile.removed_at.is_(None))
        .group_by(User.id)
        .order_by(User.id)
    )
    return [(user_id, account_id) for user_id, account_id in db.session.execute(query)]


def _name_of(check: AuditCheck) -> str:
    if check.account_id is None:
        return PLATFORM_NAME
    account = db.session.get_one(Account, check.account_id)
    return f"Account {account.account_number}, {account.company_name}"


@on_looks("Audit logs")
def looks(account: Account, user: User) -> Iterable[Look]:
    """Of the account alone; of all for who runs the portal, those with a finding first."""
    if not user.is_superuser:
        check = of_chain(account.id)
        return [_look_at(check, "The account’s log") if check else _not_yet("The account’s log")]
    query = select(AuditCheck).where(AuditCheck.problem != "").order_by(AuditCheck.problem_at)
    altered = [_look_at(one, _name_of(one)) for one in db.session.scalars(query.limit(MOST_SHOWN))]
    return [*altered, *_look_at_the_rest(bool(altered))]


def _look_at_the_rest(has_others: bool) -> list[Look]:
    """How many are in order, and since when at the longest; nothing where there are no more."""
    fine = AuditCheck.problem == ""
    query = select(func.count(), func.count(AuditCheck.whole_at), func.min(AuditCheck.whole_at))
    total, whole, oldest = db.session.execute(query.where(fine)).one()
    if not total:
        return [] if has_others else [_not_yet("All logs")]
    waiting = f" {plural(total - whole, 'waits', 'wait')} for the first look." * (total > whole)
    logs = f"{plural(whole, 'log is', 'logs are')} as the portal wrote {_it_or_them(whole)}."
    told = f"{logs}{waiting}"
    status = status_view("ready", "In order") if whole else status_view("off", "Not yet")
    title = "All others" if has_others else "All logs"
    return [Look(title, f"{told} The look that is longest ago:", oldest, status)]


def _it_or_them(count: int) -> str:
    return "it" if count == 1 else "them"


def _look_at(check: AuditCheck, title: str) -> Look:
    if check.problem:
        first = f"{check.problem_at:%d %B %Y, %H:%M} UTC"
        told = f"{check.problem} First seen on {first}, last:"
        return Look(title, told, check.seen_at, status_view("failed", "Altered"))
    if check.whole_at is None:
        return _not_yet(title)
    told = "All sealed events are as the portal wrote them. Looked at:"
    return Look(title, told, check.whole_at, status_view("ready", "In order"))


def _not_yet(title: str) -> Look:
    return Look(
        title, "The portal has not looked yet. Looked at:", None, status_view("off", "Not yet")
    )
