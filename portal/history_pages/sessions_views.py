"""Sessions: the list, and one with everything that was said in it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from portal.accounts.audit import record
from portal.database import db, utc_now
from portal.form_rules import without_nul
from portal.formatting import money
from portal.history_pages import choices, one_request, session_page, sessions
from portal.history_pages.choices import Client
from portal.history_search.listing import key_of
from portal.llm_clients import finding
from portal.request_history import ranges, rating
from portal.request_history.local_time import day_and_clock
from portal.request_history.models import Prompt
from portal.request_history.time_range import CUSTOM
from portal.web import MEMBER, VIEWER, FormActor, permits, said

blueprint = Blueprint("sessions", __name__, url_prefix="/sessions")
MOST_TURNS = 100
LONGEST_NOTE = 4_000


class SessionForm(FlaskForm):
    """What somebody of the account thinks of a session."""

    rating = SelectField(
        "Rating",
        choices=[
            SelectChoice("", "Not rated"),
            *(SelectChoice(str(value), words) for value, words in rating.WORDS.items()),
        ],
    )
    note = TextAreaField(
        "Note",
        [Length(max=LONGEST_NOTE, message="Must be at most 4,000 characters."), without_nul],
    )


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """Newest first; the filters are the address."""
    zone, now = ZoneInfo(g.account.timezone), utc_now()
    filters = sessions.parse(request.args, zone, now)
    clients = choices.clients_of(g.account)
    client = _client(clients, filters["client"])
    cursors = [request.args.get(name, "") for name in ("before", "after")]
    page = sessions.page(g.account.id, filters, client, *cursors)
    return render_template(
        "sessions/index.html",
        rows=page.rows,
        filters=filters,
        clients=[(one.hashed_id, one.name) for one in clients],
        ranges=ranges.CHOICES,
        wants_times=request.args.get("range") == CUSTOM or filters.span.name == CUSTOM,
        ratings=list(sessions.RATINGS.items()),
        rating_words=rating.WORDS,
        money=money,
        older_url=url_for(".index", **filters.query(before=page.older)) if page.older else None,
        newer_url=url_for(".index", **filters.query(after=page.newer)) if page.newer else None,
        looked_to=day_and_clock(page.looked_to, zone) if page.looked_to else "",
    )


def _client(clients: list[Client], public_id: str) -> Client | None:
    if not public_id:
        return None
    for client in clients:
        if client.hashed_id == public_id:
            return client
    found = finding.for_account(g.account, public_id)
    if found is None:
        abort(404)
    return Client(found.id, found.hashed_id, found.name)


@blueprint.get("/<digest:session_key>")
@permits(VIEWER)
def show(session_key: str) -> Any:
    """The whole conversation, a hundred requests a page."""
    session = _session_or_404(session_key)
    form = SessionForm(data={"rating": str(session.rating or ""), "note": session.note})
    return _page(session, form)


def _page(session: Prompt, form: SessionForm, status: int = 200) -> Any:
    zone = ZoneInfo(g.account.timezone)
    after = key_of(request.args.get("after", "")) or 0
    turns = one_request.turns_of(g.account.id, session.session_key, after, MOST_TURNS + 1)
    shown, more = turns[:MOST_TURNS], len(turns) > MOST_TURNS
    next_after = str(shown[-1][0].id) if more else ""
    page = render_template(
        "sessions/show.html",
        session=session,
        exchanges=session_page.exchanges(shown, zone),
        totals=session_page.totals(session, zone, g.account.currency),
        form=form,
        is_first=not after,
        more_url=url_for(".show", session_key=session.session_key, after=next_after)
        if more
        else None,
        bodies_days=g.account.request_bodies_days,
    )
    return page, status


@blueprint.post("/<digest:session_key>")
@permits(MEMBER)
def save(session_key: str) -> Any:
    """Store rating and note."""
    session = _session_or_404(session_key)
    form = SessionForm()
    if not form.validate_on_submit():
        return _page(session, form, 422)
    before = {"rating": session.rating, "has_note": bool(session.note)}
    session.rating = int(form.rating.data) if form.rating.data else None
    session.note = (form.note.data or "").strip()
    after = {"rating": session.rating, "has_note": bool(session.note)}
    record(FormActor(), "session_noted", session, before=before, after=after, name=session_key[:12])
    db.session.commit()
    said("Rating and note are saved.")
    return redirect(url_for(".show", session_key=session_key), 303)


def _session_or_404(session_key: str) -> Prompt:
    found = sessions.for_account(g.account.id, session_key)
    if found is None:
        abort(404)
    return found
