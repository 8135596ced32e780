"""What the history keeps of an exchange, as columns of LLMClientRequests. Pure."""

from __future__ import annotations

from typing import Any

from portal.llm_providers import ChatAnswer, ChatRequest
from portal.llm_providers.messages import storable
from portal.serving.endpoints import Endpoint
from portal.serving.questions import LONGEST_MESSAGE, Question
from portal.serving.rounds import Rounds
from portal.serving.served import Served

# Far more than a list shows, as what is to be hidden is hidden after the cut and a part of a mail
# address is none: a secret at the cut has to be out of sight also when those before it have shrunk.
PREVIEW = 8_000


def of_exchange(
    served: Served,
    question: Question,
    endpoint: Endpoint,
    request: ChatRequest,
    rounds: Rounds,
    answer: ChatAnswer | None,
) -> dict[str, Any]:
    """The row without how it ended; `answer` is None where there is none."""
    said = answer.text if answer else rounds.said.text
    tokens_in, tokens_out = rounds.tokens
    return {
        "llm_client_id": served.client_id,
        "account_id": served.account_id,
        "llm_client_name": served.name,
        "created_at": question.asked_at,
        "request_id": question.request_id,
        "redaction": served.redaction,
        "request": _request(served, question, request),
        "session_key": question.session_key,
        "revision_number": served.revision_number,
        "hostname": served.hostname,
        "mode": str(served.mode),
        "api_key_id": question.api_key_id,
        "provider": endpoint.provider,
        "model": answer.model if answer else endpoint.model,
        "tokens_in": tokens_in,
        "tokens_out": tokens_out,
        "price_version": endpoint.price.version if endpoint.price else "",
        "question_preview": preview_of(question.message),
        "answer_preview": preview_of(said),
        "response": _response(rounds, answer),
    }


def preview_of(text: str) -> str:
    """The beginning of a text, of which storing.py keeps what a list shows."""
    return storable(text[:PREVIEW])


def _request(served: Served, question: Question, request: ChatRequest) -> dict[str, Any]:
    conversation = question.conversation
    kept: dict[str, Any] = {"message": storable(conversation.question[:LONGEST_MESSAGE])}
    if served.mode == "sandbox" and conversation.noted.get("api") is None:
        kept["sent"] = sent_json(request)
    return {**kept, **conversation.noted}


def sent_json(request: ChatRequest) -> dict[str, Any]:
    """The request as the console of the sandbox shows it."""
    return {
        "model": request.model,
        "messages": list(request.messages),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        **request.extra,
    }


def _response(rounds: Rounds, answer: ChatAnswer | None) -> dict[str, Any] | None:
    """What came back: the provider's JSON, or what the visitor saw of an answer that broke off."""
    made = {"tools_called": rounds.calls} if rounds.calls else {}
    if answer is not None:
        return {"text": answer.text, **answer.raw, **made}
    calls = rounds.said.calls()
    if calls:
        return {"text": rounds.said.text, "tool_calls": calls, **made}
    if rounds.said.text or made:
        return {"text": rounds.said.text, **made}
    return None


def add_attempts(row: dict[str, Any], tried: list[dict[str, Any]]) -> None:
    """What failed before the answer came, or after which there was none to come."""
    if len(tried) > 1 or (tried and row["status"] < 400):
        row["response"] = {**(row["response"] or {}), "attempts": tried}
