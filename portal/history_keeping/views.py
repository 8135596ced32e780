"""What of the history is kept, for how long, and what is erased on somebody's wish."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy import select

from portal.accounts import audit
from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.formatting import status_view
from portal.history_keeping import account_terms, rebuilding, wishes
from portal.history_keeping.forms import EraseForm, KeepingForm
from portal.history_keeping.jobs import erase_history, rebuild_rollups
from portal.history_keeping.models import HistoryErasure
from portal.job_queue import enqueue
from portal.llm_clients import finding
from portal.llm_clients.models import LLMClient
from portal.request_history import redaction
from portal.web import ADMIN, FormActor, not_modified, permits, said

blueprint = Blueprint("history_keeping", __name__, url_prefix="/requests/keeping")
MOST_CLIENTS = 200


@blueprint.get("/")
@permits(ADMIN)
def index() -> str:
    """How long what is kept, what is hidden, what was erased."""
    return render_template(
        "history_keeping/index.html",
        kinds=[words for kind, (words, *_) in redaction.KINDS.items() if kind in _kinds()],
        own=(g.account.redaction or {}).get("own", []),
        clients=_clients(),
        **_erasures(),
    )


def _kinds() -> list[str]:
    return list((g.account.redaction or {}).get("kinds", []))


def _clients() -> list[tuple[str, str]]:
    query = (
        select(LLMClient.hashed_id, LLMClient.name)
        .where(LLMClient.account_id == g.account.id)
        .order_by(LLMClient.name)
        .limit(MOST_CLIENTS)
    )
    return [(hashed_id, name) for hashed_id, name in db.session.execute(query)]


def _erasures() -> dict[str, Any]:
    found, rebuild = wishes.newest(g.account), rebuilding.under_way(g.account.id)
    return {
        "erasures": [(one, _status(one)) for one in found],
        "rebuild": rebuild,
        "is_under_way": rebuild is not None or any(one.finished_at is None for one in found),
    }


@blueprint.post("/count-anew")
@permits(ADMIN)
def count_anew() -> Any:
    """Count the hourly sums of the account once more, out of its requests."""
    now = utc_now()
    if rebuilding.under_way(g.account.id) is None:
        found = rebuilding.wish(g.account.id, None, now)
        audit.record(FormActor(), "sums_counted_anew", g.account, name=g.account.company_name)
        db.session.commit()
        enqueue(rebuild_rollups, found.id, key=f"{found.id}-{found.generation}")
    said("The hours are being counted anew. Charts stay as they are until an hour has new sums.")
    return redirect(url_for(".index"), 303)


def _status(one: HistoryErasure) -> Any:
    return status_view("ready", "Erased") if one.finished_at else status_view("progress", "Erasing")


@blueprint.get("/erasures")
@permits(ADMIN)
def erasures() -> Any:
    """The list of erasures alone, for the page that waits."""
    return not_modified(render_template("history_keeping/_erasures.html", **_erasures()))


@blueprint.route("/edit", methods=["GET", "POST"])
@permits(ADMIN)
def edit() -> Any:
    """Change what is kept; it holds for what comes, and within an hour for what is there."""
    account: Account = g.account
    form = KeepingForm(
        data={
            "bodies_days": account.request_bodies_days,
            "rows_days": account.request_rows_days,
            "kinds": _kinds(),
            "own": "\n".join((account.redaction or {}).get("own", [])),
        }
    )
    if form.validate_on_submit():
        account_terms.change(account, form, FormActor())
        db.session.commit()
        said("Saved. Within an hour, what is older than that is gone.")
        return redirect(url_for(".index"), 303)
    return render_template("history_keeping/edit.html", form=form), (422 if form.errors else 200)


@blueprint.route("/erase/client/<public_id:llm_client_id>", methods=["GET", "POST"])
@permits(ADMIN)
def erase_client(llm_client_id: str) -> Any:
    """Erase all that a client was asked, after typing its name."""
    llm_client = finding.for_account(g.account, llm_client_id)
    if llm_client is None:
        abort(404)
    return _erase(
        llm_client.name,
        f"Everything that {llm_client.name} was ever asked",
        lambda: wishes.of_client(llm_client, current_user.id, utc_now()),
    )


@blueprint.route("/erase/session/<digest:session_key>", methods=["GET", "POST"])
@permits(ADMIN)
def erase_session(session_key: str) -> Any:
    """Erase one session."""
    session = wishes.session_of(g.account, session_key)
    if session is None:
        abort(404)
    return _erase(
        session.session_key[:8],
        "All questions and answers of this session",
        lambda: wishes.of_session(session, current_user.id, utc_now()),
    )


@blueprint.route("/erase/visitor/<digest:session_key>", methods=["GET", "POST"])
@permits(ADMIN)
def erase_visitor(session_key: str) -> Any:
    """Erase every session of the visitor of a session."""
    session = wishes.session_of(g.account, session_key)
    if session is None or not session.visitor_hash:
        abort(404)
    return _erase(
        session.session_key[:8],
        "All questions and answers of this visitor, in every session and with every LLM client",
        lambda: wishes.of_visitor(session, current_user.id, utc_now()),
    )


def _erase(name: str, what: str, wish: Any) -> Any:
    form = EraseForm()
    if form.validate_on_submit():
        if (form.confirm_name.data or "").strip() == name:
            erasure = wish()
            audit.record(FormActor(), "erasure begun", erasure, name=erasure.label)
            enqueue(erase_history, erasure.id, key=f"{erasure.id}-0")
            db.session.commit()
            said("It is being erased. Below you see how far it is.")
            return redirect(url_for(".index"), 303)
        form.confirm_name.errors = [f"Type {name} to erase it."]
    page = render_template("history_keeping/erase.html", form=form, name=name, what=what)
    return page, (422 if form.errors else 200)
