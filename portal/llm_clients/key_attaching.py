"""Which clients an API key opens: attaching, detaching, and what would stand open without it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.accounts.models import Account, User, UserProfile
from portal.database import db
from portal.llm_clients.models import LLMClient, LLMClientAPIKey
from portal.vault.models import AuthToken


@dataclass(frozen=True)
class ClientName:
    """A client as lists of keys name it."""

    id: int
    hashed_id: str
    name: str
    owner: str


_NAMED = (
    select(LLMClient.id, LLMClient.hashed_id, LLMClient.name, User.username)
    .join(UserProfile, UserProfile.id == LLMClient.user_profile_id)
    .join(User, User.id == UserProfile.user_id)
    .order_by(LLMClient.name, LLMClient.id)
)


def clients_of_account(account: Account) -> list[ClientName]:
    """All clients that a key of the account may open, by name."""
    found = db.session.execute(_NAMED.where(LLMClient.account_id == account.id))
    return [ClientName(*row) for row in found]


def clients_by_key(keys: Iterable[AuthToken]) -> dict[int, list[ClientName]]:
    """The clients that each of these keys is attached to, by name."""
    found: dict[int, list[ClientName]] = {key.id: [] for key in keys}
    query = (
        _NAMED.add_columns(LLMClientAPIKey.api_key_id)
        .join(LLMClientAPIKey, LLMClientAPIKey.llm_client_id == LLMClient.id)
        .where(LLMClientAPIKey.api_key_id.in_(found))
    )
    for *named, key_id in db.session.execute(query):
        found[key_id].append(ClientName(*named))
    return found


def keys_of(llm_client: LLMClient) -> list[AuthToken]:
    """The keys that are attached to a client, newest first, whatever has become of them."""
    query = (
        select(AuthToken)
        .join(LLMClientAPIKey, LLMClientAPIKey.api_key_id == AuthToken.id)
        .where(LLMClientAPIKey.llm_client_id == llm_client.id)
        .order_by(AuthToken.id.desc())
    )
    return list(db.session.scalars(query))


def attachable_to(llm_client: LLMClient, now: datetime, most: int = 200) -> list[AuthToken]:
    """The account's other keys that would open it now, newest first."""
    attached = select(LLMClientAPIKey.api_key_id).where(
        LLMClientAPIKey.llm_client_id == llm_client.id
    )
    query = (
        select(AuthToken)
        .where(
            AuthToken.account_id == llm_client.account_id,
            AuthToken.is_active,
            AuthToken.expires_at.is_(None) | (AuthToken.expires_at > now),
            AuthToken.replaced_by_id.is_(None),
            AuthToken.id.not_in(attached),
        )
        .order_by(AuthToken.id.desc())
        .limit(most)
    )
    return list(db.session.scalars(query))


def attached(llm_client_id: int, key: AuthToken) -> LLMClientAPIKey | None:
    """What ties a key to a client, if it is attached."""
    return db.session.scalar(
        select(LLMClientAPIKey).filter_by(llm_client_id=llm_client_id, api_key_id=key.id)
    )


def attach(llm_client_id: int, key: AuthToken) -> bool:
    """Let a key open a client; False when it does already. The caller holds the key's row."""
    if attached(llm_client_id, key) is not None:
        return False
    db.session.add(LLMClientAPIKey(llm_client_id=llm_client_id, api_key=key))
    db.session.flush()
    return True


def detach(llm_client_id: int, key: AuthToken) -> bool:
    """Refuse a key at a client from the next request on; False when it was not attached."""
    entry = attached(llm_client_id, key)
    if entry is None:
        return False
    db.session.delete(entry)
    db.session.flush()
    return True


def set_clients(key: AuthToken, wanted: list[ClientName]) -> tuple[list[str], list[str]]:
    """Attach a key to exactly these; names of the clients before and after."""
    before = clients_by_key([key])[key.id]
    for client in set(wanted) - set(before):
        attach(client.id, key)
    for client in set(before) - set(wanted):
        detach(client.id, key)
    return [client.name for client in before], [client.name for client in wanted]


def left_open_without(key: AuthToken, now: datetime) -> list[ClientName]:
    """The clients that only this key keeps closed: without it anybody may use them."""
    if not key.is_valid(now):
        return []
    clients = clients_by_key([key])[key.id]
    query = (
        select(LLMClientAPIKey.llm_client_id)
        .join(AuthToken, AuthToken.id == LLMClientAPIKey.api_key_id)
        .where(
            LLMClientAPIKey.llm_client_id.in_([client.id for client in clients]),
            AuthToken.id != key.id,
            AuthToken.is_active,
            AuthToken.expires_at.is_(None) | (AuthToken.expires_at > now),
        )
    )
    closed = set(db.session.scalars(query))
    return [client for client in clients if client.id not in closed]
