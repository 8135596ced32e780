"""Reading the history by key: no OFFSET, no COUNT, lists without the JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from portal.accounts.models import Account
from portal.database import db
from portal.request_history.models import LLMClientRequests, RequestBody

THREAD_LENGTH = 20


def for_account(account: Account, request_id: int) -> LLMClientRequests | None:
    """The account's request with this number; None for any other's."""
    return db.session.scalar(
        select(LLMClientRequests).where(
            LLMClientRequests.account_id == account.id, LLMClientRequests.id == request_id
        )
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
        and request
        and request.get("message")
        and response
        and response.get("text")
    ]
    return answered[-THREAD_LENGTH:]


def _replaced(found: Sequence[Any]) -> set[str]:
    """The references of answers that were asked for again."""
    named = {request.get("regenerates") for _, request, _ in found if request}
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
