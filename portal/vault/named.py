"""Named secrets: an account's values that are stored once and used in many places.

Wherever a secret is typed, `secret:NAME` stands for the one of that name. The reference is what is
sealed there; it is followed each time the value is needed, so that a replaced secret is used at
once everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.database import db
from portal.errors import PortalError
from portal.vault import current_sealer
from portal.vault.models import Secret
from portal.vault.sealing import SealError

PREFIX = "secret:"
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}\Z")
HINT_LENGTH = 4
MOST_SECRETS = 500


class SecretError(PortalError):
    """What was asked of a named secret makes no sense; the sentence says why."""


@dataclass(frozen=True)
class Use:
    """Where an account uses values: what it is called, its page (an endpoint), the values."""

    label: str
    endpoint: str
    arguments: Mapping[str, Any]
    values: tuple[str, ...] = field(repr=False)


Users = Callable[[int], Iterable[Use]]
_users: list[Users] = []


def on_uses(users: Users) -> Users:
    """A decorator: of an account (its number) all places where a secret may be."""
    _users.append(users)
    return users


def all_of(account_id: int) -> list[Secret]:
    """By name."""
    query = select(Secret).where(Secret.account_id == account_id).order_by(Secret.name)
    return list(db.session.scalars(query.limit(MOST_SECRETS)))


def for_account(account_id: int, secret_id: int, *, lock: bool = False) -> Secret | None:
    """The account's secret with this number; None for any other's."""
    query = select(Secret).where(Secret.account_id == account_id, Secret.id == secret_id)
    return db.session.scalar(query.with_for_update() if lock else query)


def by_name(account_id: int, name: str) -> Secret | None:
    query = select(Secret).where(Secret.account_id == account_id, Secret.name == name)
    return db.session.scalar(query)


def make(account_id: int, name: str, value: str) -> Secret:
    """Another one. Raises SecretError for a name that is taken; ends the transaction then."""
    made = Secret(account_id=account_id, name=name, sealed="")
    db.session.add(made)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise SecretError("The account has a secret of this name.") from error
    replace(made, value)
    return made


def replace(secret: Secret, value: str) -> None:
    """Another value; the one before it is gone. Used from the next commit on."""
    secret.sealed = current_sealer().seal(value, belongs_to=_belongs_to(secret))
    secret.hint = value[-HINT_LENGTH:] if len(value) >= 4 * HINT_LENGTH else ""


def uses_of(account_id: int) -> dict[str, list[Use]]:
    """By name: where the account's secrets are used, also those that do not exist."""
    found: dict[str, list[Use]] = {}
    for users in _users:
        for use in users(account_id):
            for name in {name for value in use.values if (name := name_in(value))}:
                found.setdefault(name, []).append(use)
    return found


def name_in(value: str) -> str:
    """The name that a typed value refers to; "" for one that is no reference."""
    name = value.removeprefix(PREFIX)
    return name if name != value and NAME.match(name) else ""


def followed(account_id: int, value: str) -> str:
    """The value, or that of the named secret it refers to. Raises SealError if there is none."""
    name = name_in(value)
    if not name:
        return value
    secret = by_name(account_id, name)
    if secret is None:
        raise SealError(f"There is no secret named {name}.")
    return current_sealer().open(secret.sealed, belongs_to=_belongs_to(secret))


def all_followed(account_id: int, values: Mapping[str, str]) -> dict[str, str]:
    """The same for several. Raises SealError."""
    return {name: followed(account_id, value) for name, value in values.items()}


def problem_with(account_id: int, value: str | None) -> str:
    """What a form says about a reference that leads nowhere; "" if all is well."""
    if not (value or "").startswith(PREFIX):
        return ""
    name = name_in(value or "")
    if name and by_name(account_id, name) is not None:
        return ""
    return f"There is no secret named {(value or '').removeprefix(PREFIX) or '…'}."


def opened_or_nothing(open_value: Callable[[], str]) -> Iterator[str]:
    """A value for `Use`; what does not open refers to nothing."""
    try:
        yield open_value()
    except SealError:
        return


def _belongs_to(secret: Secret) -> str:
    return f"secret/{secret.account_id}/{secret.id}"
