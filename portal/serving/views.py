"""The public plane on a client's host: chat page, configuration, prompts."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for

from portal.database import current_settings, end_reading
from portal.request_history import queries, rating
from portal.serving import chat_config, incoming
from portal.serving.attachments import SentFile
from portal.serving.chat_images import addresses_of
from portal.serving.events import event_stream, events_of
from portal.serving.exchanges import exchange_of
from portal.serving.hosts import key_id_or_refused, requested_client
from portal.serving.markdown import rendered
from portal.serving.prompting import Exchange
from portal.serving.served import Served
from portal.web import ANYBODY, permits

blueprint = Blueprint("serving", __name__)
SESSION_COOKIE = "chat_session"
COOKIE_SECONDS = 30 * 86_400
# Files that are too large are refused in a sentence, with the message as it was typed.
LONGEST_FORM = 4_000_000


@blueprint.get("/")
@blueprint.get("/prompt/")
@permits(ANYBODY)
def chat() -> Any:
    """The chat page in the client's branding; goes on with the browser's session."""
    served = requested_client()
    key_id_or_refused(served)
    return chat_page(served, _browser_session(served))


def _browser_session(served: Served) -> str:
    return incoming.session_key(served, request.cookies.get(SESSION_COOKIE))


def chat_page(
    served: Served,
    key: str,
    problem: str | None = None,
    status: int = 200,
    typed: str = "",
    *,
    template: str = "serving/chat.html",
) -> Any:
    """The page with a session's exchanges; `problem` says why there is no answer."""
    history = queries.turns(served.client_id, key)
    session = rating.session_of(served.client_id, key) if history else None
    end_reading()
    response = make_response(
        render_template(
            template,
            config={**served.content, **addresses_of(served), "name": served.name},
            history=history,
            rating=session.rating if session else None,
            rendered=rendered,
            session_key=key,
            stream_url=url_for("serving.stream"),
            action_url=url_for("serving.send"),
            new_chat_url=url_for("serving.new_chat"),
            regenerate_url=url_for("serving.regenerate"),
            rating_url=url_for("serving.rate"),
            message_error=problem,
            typed=typed,
            retention_days=served.request_bodies_days,
        ),
        status,
    )
    return with_session(response, key)


@blueprint.post("/")
@permits(ANYBODY, writes=False, longest_body=LONGEST_FORM)
def send() -> Any:
    """A prompt from the page without script: the page again, with the answer."""
    served = requested_client()
    key_id = key_id_or_refused(served)
    given = request.form.get("session_key", "")
    typed = request.form.get("message", "")
    exchange = ask(served, typed, given, key_id, incoming.sent_files())
    exchange.whole()
    key = exchange.question.session_key
    if exchange.refusal is not None:
        refusal = exchange.refusal
        return chat_page(served, key, refusal.message, refusal.status, typed)
    return with_session(redirect(url_for("serving.chat"), 303), key)


def with_session(response: Any, key: str) -> Any:
    """The browser's session goes on for a month; host-only, not for scripts."""
    response.set_cookie(
        SESSION_COOKIE,
        key,
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=current_settings().scheme == "https",
    )
    return response


@blueprint.post("/new-chat")
@permits(ANYBODY, writes=False)
def new_chat() -> Any:
    """Forget the browser's session; the history keeps it."""
    response = redirect(url_for("serving.chat"), 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


@blueprint.post("/stream")
@permits(ANYBODY, writes=False, longest_body=LONGEST_FORM)
def stream() -> Any:
    """A prompt from the page with script: events as the answer comes."""
    served = requested_client()
    key_id = key_id_or_refused(served)
    message, given = incoming.sent_values()
    exchange = ask(served, message, given, key_id, incoming.sent_files())
    return event_stream(events_of(exchange, show_sent=False))


def ask(
    served: Served,
    message: str,
    given_key: str,
    api_key_id: int | None,
    files: Sequence[SentFile] = (),
) -> Exchange:
    """A question on its way, with the thread of the session that the caller named."""
    question = incoming.question(served, message, given_key, api_key_id, files)
    return exchange_of(served, question)


@blueprint.route("/config/", methods=["GET", "POST"])
@blueprint.route("/prompt/config/", methods=["GET", "POST"])
@blueprint.route("/api/v1/llm-clients/<public_id:public_id>/config/", methods=["GET", "POST"])
@blueprint.route(
    "/api/v1/llm-clients/<public_id:public_id>/prompt/config/", methods=["GET", "POST"]
)
@permits(ANYBODY, writes=False)
def config(public_id: str | None = None) -> Any:
    """What the chat component asks at its start and after each answer; never asks the provider."""
    served = requested_client(public_id)
    key_id_or_refused(served)
    given = str(incoming.json_body().get("session_key", "")) or request.args.get("session_key", "")
    key = incoming.session_key(served, given)
    thread = queries.thread(served.client_id, key)
    end_reading()
    return chat_config.config_answer(served, key, thread, _prompt_url(served, public_id))


def _prompt_url(served: Served, public_id: str | None) -> str:
    settings = current_settings()
    if public_id is None:
        return f"{settings.url_of(served.hostname)}/prompt/"
    return f"{settings.platform_url}/api/v1/llm-clients/{served.client_id}/prompt/"


@blueprint.post("/prompt/")
@blueprint.post("/api/v1/llm-clients/<public_id:public_id>/prompt/")
@permits(ANYBODY, writes=False)
def prompt(public_id: str | None = None) -> Any:
    """A prompt of the chat component: the last user message counts, the rest we know ourselves."""
    served = requested_client(public_id)
    key_id = key_id_or_refused(served)
    body = incoming.json_body()
    given = str(body.get("session_key", "")) or request.args.get("session_key", "")
    exchange = ask(served, _last_message(body), given, key_id)
    exchange.whole()
    return chat_config.prompt_answer(served, exchange)


def _last_message(body: dict[str, Any]) -> str:
    """What the visitor typed last; it comes escaped as HTML."""
    messages = body.get("messages")
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, dict) and message.get("role") == "user":
            content = message.get("content")
            return html.unescape(content) if isinstance(content, str) else ""
    return ""


@blueprint.get("/robots.txt")
@permits(ANYBODY)
def robots() -> Any:
    """Chat pages need not be found by search engines."""
    return current_app.response_class("User-agent: *\nDisallow: /\n", mimetype="text/plain")
