"""A request as a line of a list: values for templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from portal.formatting import StatusView, money, status_view
from portal.request_history.models import LLMClientRequests


@dataclass(frozen=True)
class Row:
    """One request in a list."""

    id: int
    created_at: datetime
    llm_client_name: str
    llm_client_id: str | None
    question_preview: str
    answer_preview: str
    status: StatusView
    latency_ms: int | None
    tokens_in: int
    tokens_out: int
    cost_text: str | None
    mode: str
    hostname: str

    @property
    def url(self) -> str:
        """The request's own page."""
        return url_for("request_history.show", request_id=self.id)

    @property
    def llm_client_url(self) -> str | None:
        """The client's page, while there is one."""
        client = self.llm_client_id
        return url_for("llm_clients.show", llm_client_id=client) if client else None


def row_of(found: Any, currency: str) -> Row:
    """What a list shows of a request, of a row with the columns of a list (listing.py) or whole.

    What cost nothing, or nobody knows what, has no cost.
    """
    return Row(
        id=found.id,
        created_at=found.created_at,
        llm_client_name=found.llm_client_name,
        llm_client_id=_client_of(found),
        question_preview=found.question_preview,
        answer_preview=found.answer_preview or found.error_text[:200],
        status=status_of(found),
        latency_ms=found.latency_ms,
        tokens_in=found.tokens_in,
        tokens_out=found.tokens_out,
        cost_text=money(found.cost_micros, currency) if found.cost_micros else None,
        mode=found.mode,
        hostname=found.hostname,
    )


def _client_of(found: Any) -> str | None:
    """The hashed id of the client, while it is there."""
    if isinstance(found, LLMClientRequests):
        return found.llm_client.hashed_id if found.llm_client else None
    hashed_id: str | None = found.client_hashed_id
    return hashed_id


OF_CAUSES = {"timeout": "Timed out", "cut": "Broke off", "budget_reached": "Over budget"}


def status_of(found: Any) -> StatusView:
    """The outcome of a request in words."""
    if found.status < 400:
        return status_view("ready", "Answered")
    if found.status == 499:
        return status_view("off", "Visitor left")
    if found.status < 500:
        return status_view("attention", OF_CAUSES.get(found.error_code, "Refused"))
    return status_view("failed", OF_CAUSES.get(found.error_code, "Failed"))
