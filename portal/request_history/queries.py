"""Reading the history by key: no OFFSET, no COUNT, lists without the JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import defer, selectinload

from portal.accounts.models import Account
from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.request_history.models import LLMClientRequests

PAGE_SIZE = 50
THREAD_LENGTH = 20
STATUS_RANGES = {
    "answered": (200, 399),
    "refused": (400, 498),
    "cancelled": (499, 499),
    "failed": (500, 599),
}


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; all from the URL."""

    client: str = ""
    status: str = ""
    session_key: str = ""
    after: str = ""
    before: str = ""

    @property
    def is_filtered(self) -> bool:
        return bool(self.client or self.status or self.session_key)

    def values(self, **changes: str) -> dict[str, str]:
        """For a URL with other values."""
        merged = {**asdict(self), "after": "", "before": "", **changes}
        return {key: value for key, value in merged.items() if value}


def page(
    account: Account, filters: Filters, llm_client: LLMClient | None
) -> tuple[list[LLMClientRequests], str | None, str | None]:
    """One page, newest first, and the keys at which the older and the newer page begin."""
    query = _narrowed(account, filters, llm_client)
    key = LLMClientRequests.id
    newer_than, older_than = _key(filters.after), _key(filters.before)
    if newer_than is not None:
        query = query.where(key > newer_than).order_by(key.asc())
    else:
        query = query.order_by(key.desc())
        if older_than is not None:
            query = query.where(key < older_than)
    found = list(db.session.scalars(query.limit(PAGE_SIZE + 1)))
    more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    if newer_than is not None:
        found.reverse()
    has_older = bool(found) and (more or newer_than is not None)
    has_newer = bool(found) and (more if newer_than is not None else older_than is not None)
    older = str(found[-1].id) if has_older else None
    newer = str(found[0].id) if has_newer else None
    return found, older, newer


def _key(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _narrowed(account: Account, filters: Filters, llm_client: LLMClient | None) -> Select[Any]:
    query = (
        select(LLMClientRequests)
        .where(LLMClientRequests.account_id == account.id)
        .options(defer(LLMClientRequests.request), defer(LLMClientRequests.response))
        .options(selectinload(LLMClientRequests.llm_client).load_only(LLMClient.hashed_id))
    )
    if llm_client is not None:
        query = query.where(LLMClientRequests.llm_client_id == llm_client.id)
    if filters.session_key:
        query = query.where(LLMClientRequests.session_key == filters.session_key)
    if filters.status in STATUS_RANGES:
        query = query.where(LLMClientRequests.status.between(*STATUS_RANGES[filters.status]))
    return query


def for_account(account: Account, request_id: int) -> LLMClientRequests | None:
    """The account's request with this number; None for any other's."""
    return db.session.scalar(
        select(LLMClientRequests).where(
            LLMClientRequests.account_id == account.id, LLMClientRequests.id == request_id
        )
    )


# Built once, since every prompt asks it.
_THREAD = (
    select(LLMClientRequests.request, LLMClientRequests.response)
    .where(
        LLMClientRequests.session_key == bindparam("session_key"),
        LLMClientRequests.llm_client_id == bindparam("llm_client_id"),
        LLMClientRequests.status < 400,
    )
    .order_by(LLMClientRequests.id.desc())
    .limit(THREAD_LENGTH)
)


def thread(llm_client_id: int, session_key: str) -> list[dict[str, str]]:
    """The last exchanges of a session that were answered, oldest first, as chat messages."""
    values = {"session_key": session_key, "llm_client_id": llm_client_id}
    messages: list[dict[str, str]] = []
    for request, response in reversed(db.session.execute(_THREAD, values).all()):
        if request.get("message") and response and response.get("text"):
            messages.append({"role": "user", "content": str(request["message"])})
            messages.append({"role": "assistant", "content": str(response["text"])})
    return messages
