"""Keeping the list of requests under a name; the names of one's own and the shared ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from flask import abort, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from portal.database import db, utc_now
from portal.history_pages import address, chips, saved
from portal.history_pages.models import SavedView
from portal.history_pages.view_links import links_of, query_of
from portal.history_pages.views import blueprint
from portal.web import MEMBER, VIEWER, FormActor, permits, said

LONGEST_NAME = 100
LONGEST_QUERY = 4_000


@dataclass(frozen=True)
class ViewRow:
    """A saved view with what may be done with it."""

    id: int
    name: str
    url: str
    told: str
    is_shared: bool
    is_mine: bool
    owner: str
    may_change: bool


@blueprint.get("/views")
@permits(VIEWER)
def views() -> str:
    """All that this person sees."""
    return render_template("request_history/views.html", views=_rows(saved.seen_by(g.profile)))


def _rows(found: Sequence[SavedView]) -> list[ViewRow]:
    urls = {link.id: link.url for link in links_of(found, {})}
    return [
        ViewRow(
            id=view.id,
            name=view.name,
            url=urls[view.id],
            told=", ".join(
                f"{chips.LABELS[name]}: {value[:60]}"
                for name, value in query_of(view).items()
                if name in chips.LABELS and name != "client"
            ),
            is_shared=view.is_shared,
            is_mine=view.user_profile_id == g.profile.id,
            owner=view.user_profile.user.username,
            may_change=g.profile.may_edit and saved.may_change(g.profile, view),
        )
        for view in found
    ]


@blueprint.post("/views")
@permits(MEMBER)
def save_view() -> Any:
    """Keep the filters and columns that are shown."""
    typed = request.form.get("query", "")[:LONGEST_QUERY]
    values: MultiDict[str, str] = MultiDict(parse_qsl(typed.lstrip("?"), max_num_fields=None))
    query = address.of(values, ZoneInfo(g.account.timezone), utc_now()).saved
    name = _name()
    if not name:
        said(f"A view needs a name of at most {LONGEST_NAME} characters.", "attention")
        return redirect(url_for(".index", **query), 303)
    saved.save(g.profile, name, query, "is_shared" in request.form, FormActor())
    db.session.commit()
    said(f"The view “{name}” is saved.")
    return redirect(url_for(".index", **query), 303)


def _name() -> str:
    """What was typed, with single spaces; nothing where it cannot be a name."""
    typed = " ".join(request.form.get("name", "").replace("\x00", "").split())
    return typed if len(typed) <= LONGEST_NAME and typed.isprintable() else ""


@blueprint.post("/views/<row_id:view_id>")
@permits(MEMBER)
def change_view(view_id: int) -> Any:
    """Another name, shared or no longer."""
    view = _view_or_404(view_id)
    name = _name()
    if name:
        saved.change(view, name, "is_shared" in request.form, FormActor())
        db.session.commit()
        said(f"The view “{name}” is saved.")
    else:
        said(f"A view needs a name of at most {LONGEST_NAME} characters.", "attention")
    return redirect(url_for(".views"), 303)


@blueprint.post("/views/<row_id:view_id>/delete")
@permits(MEMBER)
def delete_view(view_id: int) -> Any:
    """The view goes, the requests stay."""
    view = _view_or_404(view_id)
    name = view.name
    saved.delete(view, FormActor())
    db.session.commit()
    said(f"The view “{name}” is deleted.")
    return redirect(url_for(".views"), 303)


def _view_or_404(view_id: int) -> SavedView:
    found = saved.to_change(g.profile, view_id)
    if found is None:
        abort(404)
    return found
