"""The sandbox in the admin plane: talk to the newest revision and see what was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from markupsafe import Markup
from sqlalchemy import Text, cast, select
from wtforms import TextAreaField

from portal.database import db, utc_now
from portal.formatting import StatusView
from portal.history_search.listing import key_of
from portal.llm_clients import finding
from portal.llm_clients.models import LLMClient
from portal.llm_clients.system_role import enhanced
from portal.request_history import stored
from portal.request_history.models import LLMClientRequests, RequestBody
from portal.request_history.rows import status_of
from portal.serving import incoming, served
from portal.serving.events import event_stream, events_of
from portal.serving.exchanges import exchange_of
from portal.serving.markdown import rendered
from portal.serving.prompting import Exchange
from portal.serving.questions import LONGEST_MESSAGE
from portal.web import MEMBER, permits

blueprint = Blueprint("workbench", __name__, url_prefix="/workbench/llm-clients")
MOST_EXCHANGES = 50


class MessageForm(FlaskForm):
    """What to ask."""

    message = TextAreaField("Message")


@dataclass(frozen=True)
class Line:
    """One exchange of the sandbox session, with what was sent."""

    question: str
    answer_html: Markup
    status: StatusView
    error: str
    sent_json: str
    latency_ms: int | None
    first_token_ms: int | None
    tokens_in: int
    tokens_out: int


def _client_or_404(llm_client_id: str) -> LLMClient:
    found = finding.for_account(g.account, llm_client_id)
    if found is None:
        abort(404)
    return found


@blueprint.get("/<public_id:llm_client_id>/")
@permits(MEMBER)
def show(llm_client_id: str) -> Any:
    """The sandbox chat; `?session_key=` goes on with a session, `?question_of=` asks again."""
    llm_client = _client_or_404(llm_client_id)
    current = served.for_sandbox(llm_client)
    key = incoming.session_key(current, request.args.get("session_key"))
    form = MessageForm()
    form.message.data = _question_of(llm_client, request.args.get("question_of", ""))
    return _page(llm_client, key, form)


def _question_of(llm_client: LLMClient, number: str) -> str | None:
    """What the client was asked in a request; None where there is no such one."""
    key = key_of(number)
    if key is None:
        return None
    text = db.session.scalar(
        select(cast(RequestBody.request, Text))
        .join(LLMClientRequests, LLMClientRequests.id == RequestBody.id)
        .where(
            RequestBody.id == key,
            RequestBody.account_id == llm_client.account_id,
            LLMClientRequests.llm_client_id == llm_client.id,
        )
    )
    return stored.question(stored.read(text))[:LONGEST_MESSAGE] or None


def _page(llm_client: LLMClient, key: str, form: MessageForm, status: int = 200) -> Any:
    role = enhanced(llm_client.default_system_role, utc_now(), llm_client.account.timezone)
    page = render_template(
        "serving/workbench.html",
        llm_client=llm_client,
        exchanges=_exchanges(llm_client, key),
        form=form,
        session_key=key,
        stream_url=url_for(".stream", llm_client_id=llm_client.hashed_id),
        enhanced_system_role=role,
        revision_number=llm_client.newest_revision_number,
    )
    return page, status


def _exchanges(llm_client: LLMClient, key: str) -> list[Line]:
    query = (
        select(LLMClientRequests)
        .where(
            LLMClientRequests.session_key == key,
            LLMClientRequests.llm_client_id == llm_client.id,
        )
        .order_by(LLMClientRequests.id.desc())
        .limit(MOST_EXCHANGES)
    )
    return [_line(found) for found in reversed(db.session.scalars(query).all())]


def _line(found: LLMClientRequests) -> Line:
    return Line(
        question=str((found.request or {}).get("message", "")),
        answer_html=rendered(str((found.response or {}).get("text", ""))),
        status=status_of(found),
        error=found.error_text,
        sent_json=json.dumps((found.request or {}).get("sent", {}), indent=2, ensure_ascii=False),
        latency_ms=found.latency_ms,
        first_token_ms=found.first_token_ms,
        tokens_in=found.tokens_in,
        tokens_out=found.tokens_out,
    )


@blueprint.post("/<public_id:llm_client_id>/")
@permits(MEMBER, writes=False)
def send(llm_client_id: str) -> Any:
    """A prompt without script; what was typed stays if it was refused."""
    llm_client = _client_or_404(llm_client_id)
    form = MessageForm()
    exchange = _exchange(llm_client, form.message.data or "", request.form.get("session_key", ""))
    exchange.whole()
    key = exchange.question.session_key
    if exchange.refusal is not None:
        form.message.errors = [exchange.refusal.message]
        return _page(_client_or_404(llm_client_id), key, form, 422)
    return redirect(url_for(".show", llm_client_id=llm_client_id, session_key=key), 303)


@blueprint.post("/<public_id:llm_client_id>/stream")
@permits(MEMBER, writes=False)
def stream(llm_client_id: str) -> Any:
    """A prompt with script: what is sent, then the answer as it comes."""
    message, key = incoming.sent_values()
    exchange = _exchange(_client_or_404(llm_client_id), message, key)
    return event_stream(events_of(exchange, show_sent=True))


def _exchange(llm_client: LLMClient, message: str, given_key: str) -> Exchange:
    current = served.for_sandbox(llm_client)
    question = incoming.question(current, message, given_key)
    return exchange_of(current, question)
