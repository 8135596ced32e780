"""What is done with API keys: made, rotated, revoked, found. Their text leaves here once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.accounts.models import User
from portal.database import db
from portal.vault import tokens
from portal.vault.models import AuthToken

PAGE_SIZE = 50


@dataclass(frozen=True)
class NewKey:
    """A key that was made just now. `text` is shown and then forgotten."""

    row: AuthToken
    text: str = field(repr=False)


def make(account_id: int, name: str, author: User, expires_at: datetime | None) -> NewKey:
    """A new key that opens nothing yet."""
    token = tokens.make()
    row = AuthToken(
        account_id=account_id,
        prefix=token.prefix,
        secret_hash=tokens.digest(token.text),
        name=name,
        created_by_id=author.id,
        expires_at=expires_at,
    )
    db.session.add(row)
    db.session.flush()
    return NewKey(row, token.text)


def rotate(
    old: AuthToken,
    author: User,
    now: datetime,
    overlap: timedelta,
    expires_at: datetime | None,
) -> NewKey:
    """A new key of the same name; the old one works for `overlap` more, never longer than before.

    Attaching the new one to the clients of the old one is left to those who know clients.
    """
    new = make(old.account_id, old.name, author, expires_at)
    old.replaced_by_id = new.row.id
    if overlap:
        last = now + overlap
        old.expires_at = min(old.expires_at or last, last)
    else:
        old.is_active = False
    return new


def revoke(key: AuthToken) -> None:
    """Refused from the next request on, in every process (llm_clients/signals.py watches)."""
    key.is_active = False


def for_account(account_id: int, key_id: int, *, lock: bool = False) -> AuthToken | None:
    """The account's key; `lock` holds others who change it until the commit."""
    query = select(AuthToken).where(AuthToken.account_id == account_id, AuthToken.id == key_id)
    if lock:
        query = query.with_for_update(of=AuthToken).execution_options(populate_existing=True)
    return db.session.scalar(query)


def page(account_id: int, before: int | None = None) -> tuple[list[AuthToken], int | None]:
    """One page, newest first, and the number before which the next one begins."""
    query = (
        select(AuthToken)
        .where(AuthToken.account_id == account_id)
        .options(selectinload(AuthToken.created_by))
        .order_by(AuthToken.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if before is not None:
        query = query.where(AuthToken.id < before)
    found = list(db.session.scalars(query))
    more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    return found, found[-1].id if more else None


def related(keys: list[AuthToken]) -> tuple[dict[int, AuthToken], dict[int, AuthToken]]:
    """By number of these keys: the key that replaces it, and the key that it replaces."""
    ids, newer_ids = [key.id for key in keys], [key.replaced_by_id for key in keys]
    query = select(AuthToken).where(
        AuthToken.id.in_([number for number in newer_ids if number])
        | AuthToken.replaced_by_id.in_(ids)
    )
    found = {key.id: key for key in db.session.scalars(query)}
    newer = {key.id: found[key.replaced_by_id] for key in keys if key.replaced_by_id in found}
    older = {key.replaced_by_id: key for key in found.values() if key.replaced_by_id in ids}
    return newer, older
