"""One request whole: page, drawer, raw JSON, comparison with another one."""

from __future__ import annotations

from flask import Response, abort, current_app, g, render_template, request

from portal.history_pages import detail_page, differences, one_request
from portal.history_pages.one_request import Whole
from portal.history_pages.views import blueprint
from portal.history_search.listing import key_of
from portal.web import VIEWER, permits


def _whole_or_404(request_id: int | None) -> Whole:
    found = one_request.for_account(g.account, request_id) if request_id is not None else None
    if found is None:
        abort(404)
    return found


@blueprint.get("/<row_id:request_id>")
@permits(VIEWER)
def show(request_id: int) -> str:
    """Conversation, what arrived, what came back, how long it took."""
    whole = _whole_or_404(request_id)
    older, newer = one_request.neighbours(whole.row)
    values = detail_page.values_of(whole)
    return render_template("request_history/show.html", **values, older=older, newer=newer)


@blueprint.get("/<row_id:request_id>/drawer")
@permits(VIEWER)
def drawer(request_id: int) -> str:
    """The same as a part beside the list."""
    whole = _whole_or_404(request_id)
    return render_template("request_history/_drawer.html", **detail_page.values_of(whole))


@blueprint.get("/<row_id:request_id>/<any(request, response):part>.json")
@permits(VIEWER)
def raw(request_id: int, part: str) -> Response:
    """The JSON as it is stored, as a file."""
    found = one_request.raw(g.account, request_id, part)
    if found is None:
        abort(404)
    response = current_app.response_class(found, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{request_id}-{part}.json"'
    return response


@blueprint.get("/<row_id:request_id>/diff")
@permits(VIEWER)
def diff(request_id: int) -> str:
    """Beside `?with=`, or the request before it in its session."""
    new = _whole_or_404(request_id)
    typed = request.args.get("with", "").strip()
    number = key_of(typed) if typed else one_request.before(new.row)
    old = one_request.for_account(g.account, number) if number is not None else None
    is_later = old is not None and old.row.id > new.row.id
    return render_template(
        "request_history/diff.html",
        new=old if is_later else new,
        old=new if is_later else old,
        asked=new,
        typed=typed,
        compared=differences.between(*((new, old) if is_later else (old, new))) if old else [],
    )
