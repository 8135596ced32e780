"""What a visitor does with an answer on the chat page: ask for another, say whether it helped."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, request, url_for

from portal.database import db
from portal.request_history import rating
from portal.request_history.models import Prompt
from portal.serving import incoming
from portal.serving.events import event_stream, events_of
from portal.serving.exchanges import exchange_of
from portal.serving.hosts import key_id_or_refused, requested_client
from portal.serving.served import Served
from portal.serving.views import blueprint, chat_page, with_session
from portal.web import ANYBODY, permits

UNKNOWN_SESSION = "There is no such chat with this assistant."
RATINGS = {"1": rating.HELPFUL, "-1": rating.NOT_HELPFUL}


@blueprint.post("/regenerate")
@permits(ANYBODY, writes=False)
def regenerate() -> Any:
    """The last question again: events for a page with script, else the page with the new answer."""
    served = requested_client()
    key_id = key_id_or_refused(served)
    question = incoming.question_again(served, incoming.sent_values()[1], key_id)
    exchange = exchange_of(served, question)
    if request.accept_mimetypes.best == "text/event-stream":
        return event_stream(events_of(exchange, show_sent=False))
    exchange.whole()
    if exchange.refusal is not None:
        refusal = exchange.refusal
        return chat_page(served, question.session_key, refusal.message, refusal.status)
    return with_session(redirect(url_for("serving.chat"), 303), question.session_key)


@blueprint.post("/rating")
@permits(ANYBODY)
def rate() -> Any:
    """1 or -1 for a session, the same again takes it back; JSON, or back to the page."""
    served = requested_client()
    key_id_or_refused(served)
    given: Any = request.form if request.mimetype in incoming.FORMS else incoming.json_body()
    value = RATINGS.get(str(given.get("rating", "")))
    if value is None:
        abort(400, "A rating is 1 or -1.")
    session = _session_or_404(served, str(given.get("session_key", "")))
    stands = rating.rate(session, value)
    db.session.commit()
    if request.accept_mimetypes.best == "application/json" or request.is_json:
        return {"rating": stands}
    return with_session(redirect(url_for("serving.chat"), 303), session.session_key)


def _session_or_404(served: Served, key: str) -> Prompt:
    """The session of a key that we made for this client, once it has a prompt."""
    is_ours = incoming.session_key(served, key) == key
    session = rating.session_of(served.client_id, key) if is_ours else None
    if session is None:
        abort(404, UNKNOWN_SESSION)
    return session
