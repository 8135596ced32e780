"""Reading the history by key: no OFFSET, no COUNT, lists without the JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Account
from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.request_history.models import LLMClientRequests, RequestBody

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
    return (
        int(text)
        if text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 2**63
        else None
    )


def _narrowed(account: Account, filters: Filters, llm_client: LLMClient | None) -> Select[Any]:
    query = (
        select(LLMClientRequests)
        .where(LLMClientRequests.account_id == account.id)
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
        select(LLMClientRequests)
        .where(LLMClientRequests.account_id == account.id, LLMClientRequests.id == request_id)
        .options(joinedload(LLMClientRequests.body))
    )


@dataclass(frozen=True)
class Turn:
    """One exchange of a session that was answered; `noted` is what the request has beside it."""

    request_id: str
    question: str
    answer: str
    noted: dict[str, Any]

    @property
    def typed(self) -> str:
        """What the visitor wrote, without the files that came with it."""
        return str(self.noted.get("typed", self.question))

    @property
    def files(self) -> list[str]:
        """The names of the files that came with the question."""
        return [str(name) for name in self.noted.get("files") or []]


# Built once, since every prompt asks it.
_THREAD = (
    select(LLMClientRequests.request_id, RequestBody.request, RequestBody.response)
    .join(RequestBody, RequestBody.id == LLMClientRequests.id)
    .where(
        LLMClientRequests.session_key == bindparam("session_key"),
        LLMClientRequests.llm_client_id == bindparam("llm_client_id"),
        LLMClientRequests.status < 400,
    )
    .order_by(LLMClientRequests.id.desc())
    .limit(bindparam("most"))
)
_OF_A_TURN = ("typed", "files")


def turns(llm_client_id: int, session_key: str) -> list[Turn]:
    """The last answered exchanges of a session, oldest first; of one asked again, the newest."""
    values = {"session_key": session_key, "llm_client_id": llm_client_id}
    found = db.session.execute(_THREAD, {**values, "most": THREAD_LENGTH}).all()
    replaced = _replaced(found)
    if replaced:
        found = db.session.execute(_THREAD, {**values, "most": 5 * THREAD_LENGTH}).all()
        replaced = _replaced(found)
    answered = [
        Turn(
            request_id,
            str(request["message"]),
            str(response["text"]),
            {name: request[name] for name in _OF_A_TURN if name in request},
        )
        for request_id, request, response in reversed(found)
        if request_id not in replaced
        and request.get("message")
        and response
        and response.get("text")
    ]
    return answered[-THREAD_LENGTH:]


def _replaced(found: Sequence[Any]) -> set[str]:
    """The references of answers that were asked for again."""
    named = {request.get("regenerates") for _, request, _ in found}
    return {reference for reference in named if reference}


def messages_of(found: list[Turn]) -> list[dict[str, str]]:
    """Exchanges as chat messages."""
    messages: list[dict[str, str]] = []
    for turn in found:
        messages.append({"role": "user", "content": turn.question})
        messages.append({"role": "assistant", "content": turn.answer})
    return messages


def thread(llm_client_id: int, session_key: str) -> list[dict[str, str]]:
    """The last answered exchanges of a session, oldest first, as chat messages."""
    return messages_of(turns(llm_client_id, session_key))
