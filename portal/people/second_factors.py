"""The second factor: an app's codes, each used once, and recovery codes for a lost telephone."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, func, select, union, update

from portal.accounts.models import SignInAttempt, User
from portal.accounts.signing_in import FAILURE_WINDOW, MOST_FAILURES
from portal.database import db
from portal.people import totp
from portal.people.models import Passkey, RecoveryCode, TotpFactor
from portal.vault import current_sealer

RECOVERY_CODES = 10
RECOVERY_BYTES = 15  # 120 bits: nobody guesses them, even with the hash
RECOVERY_LENGTH = 24
LENGTHS = (16, RECOVERY_LENGTH)  # those made before had 80 bits


def factor_of(user: User) -> TotpFactor | None:
    """The person's app, confirmed or not."""
    return db.session.scalar(select(TotpFactor).where(TotpFactor.user_id == user.id))


def who_has_one(user_ids: Iterable[int]) -> set[int]:
    """Those of these people who have a second factor."""
    wanted = list(user_ids)
    with_app = select(TotpFactor.user_id).where(
        TotpFactor.user_id.in_(wanted), TotpFactor.confirmed_at.is_not(None)
    )
    with_passkey = select(Passkey.user_id).where(Passkey.user_id.in_(wanted))
    return set(db.session.scalars(union(with_app, with_passkey)))


def has_one(user: User) -> bool:
    return bool(who_has_one([user.id]))


def begin(user: User) -> TotpFactor:
    """A new key that does not count until a code of it was typed."""
    found = factor_of(user)
    if found is None:
        found = TotpFactor(user_id=user.id)
        db.session.add(found)
        db.session.flush()
    if found.confirmed_at is None:
        found.sealed_key = current_sealer().seal(totp.new_key(), belongs_to=_belongs_to(found))
    return found


def key_of(factor: TotpFactor) -> str:
    """The key itself, for the page of the enrolment and for comparing."""
    return current_sealer().open(factor.sealed_key, belongs_to=_belongs_to(factor))


def confirm(factor: TotpFactor, typed: str, now: datetime) -> bool:
    """Whether the app shows the right code; from then on it is asked for."""
    step = totp.matching_step(key_of(factor), typed, now)
    if step is None:
        return False
    factor.confirmed_at, factor.last_step = now, step
    return True


def remove(user: User) -> None:
    """The app does not count any more."""
    db.session.execute(delete(TotpFactor).where(TotpFactor.user_id == user.id))
    forget_codes_of_none(user)


def remove_all(user: User) -> None:
    """Neither app nor passkey nor recovery code counts any more."""
    for model in (TotpFactor, Passkey, RecoveryCode):
        db.session.execute(delete(model).where(model.user_id == user.id))


def forget_codes_of_none(user: User) -> None:
    """Recovery codes belong to a second factor; without one they end."""
    if not has_one(user):
        db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes, shown once; those from before are worth nothing."""
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [
        base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
        for _ in range(RECOVERY_CODES)
    ]
    db.session.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(user, code)) for code in codes)
    return [
        "-".join(code[start : start + 4] for start in range(0, RECOVERY_LENGTH, 4))
        for code in codes
    ]


def recovery_codes_left(user: User) -> int:
    query = select(func.count()).where(
        RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None)
    )
    return int(db.session.scalar(query) or 0)


def is_shut(user: User, now: datetime) -> bool:
    """Whether too many wrong codes were typed lately, for whoever has the password."""
    query = select(func.count()).where(
        SignInAttempt.bucket == _bucket(user), SignInAttempt.created_at > now - FAILURE_WINDOW
    )
    return (db.session.scalar(query) or 0) >= MOST_FAILURES


def accept(user: User, typed: str, now: datetime) -> str:
    """`app` or `recovery` for a right code, which is used up with that; "" for a wrong one."""
    if _accept_totp(user, typed, now):
        return "app"
    if _accept_recovery(user, typed, now):
        return "recovery"
    db.session.add(SignInAttempt(bucket=_bucket(user), created_at=now))
    return ""


def _accept_totp(user: User, typed: str, now: datetime) -> bool:
    factor = factor_of(user)
    if factor is None or factor.confirmed_at is None:
        return False
    step = totp.matching_step(key_of(factor), typed, now)
    if step is None:
        return False
    taken = db.session.execute(
        update(TotpFactor)
        .where(TotpFactor.id == factor.id, TotpFactor.last_step < step)
        .values(last_step=step)
        .execution_options(synchronize_session=False)
    )
    return int(taken.rowcount) == 1


def _accept_recovery(user: User, typed: str, now: datetime) -> bool:
    code = "".join(typed.replace("-", " ").split()).lower()
    if len(code) not in LENGTHS:
        return False
    taken = db.session.execute(
        update(RecoveryCode)
        .where(RecoveryCode.user_id == user.id, RecoveryCode.code_hash == _hash(user, code))
        .where(RecoveryCode.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(taken.rowcount) == 1


def _hash(user: User, code: str) -> str:
    return hashlib.sha256(f"{user.id}:{code}".encode()).hexdigest()


def _bucket(user: User) -> str:
    return f"code:{user.id}"


def _belongs_to(factor: TotpFactor) -> str:
    return f"totp_factor/{factor.user_id}/{factor.id}"
