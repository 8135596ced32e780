"""The account's exports: list, begin, download, cancel, delete.

A link to a file works for who is signed in to its account, until the file goes after a day. It
carries no signature of its own: one that works without a session would be read by everybody whom
it is forwarded to, and could not be taken back when a person leaves or words are erased.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Response,
    abort,
    g,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)

from portal.accounts import audit
from portal.database import db, utc_now, writing
from portal.errors import PortalError
from portal.history_exports import exporting, files, page
from portal.history_exports.exporting import States
from portal.history_exports.jobs import advance_export
from portal.history_exports.models import RequestExport
from portal.history_search.filters import Filters, parse
from portal.job_queue import enqueue
from portal.llm_clients import finding
from portal.web import MEMBER, VIEWER, FormActor, error_page, not_modified, permits, said

blueprint = Blueprint("history_exports", __name__, url_prefix="/requests/exports")
POLL_MS = 1000
TYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
GONE = {
    States.EXPIRED: "This file was deleted a day after it was ready. Export the requests again.",
    States.WITHDRAWN: "This file was withdrawn, as words that it may hold were erased.",
    States.CANCELLED: "This export was cancelled, so there is no file.",
    States.FAILED: "This export failed, so there is no file. Its page tells why.",
}


def owned_or_404(export_id: int) -> RequestExport:
    """The account's export, locked where it is about to be changed."""
    found = page.for_account(g.account, export_id, lock=request.method == "POST")
    if found is None:
        abort(404)
    return found


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """The newest ones, with how far they are."""
    return render_template("history_exports/index.html", **_list())


@blueprint.get("/status")
@permits(VIEWER)
def status() -> Response:
    """The list alone, asked for while something is being written."""
    return not_modified(render_template("history_exports/_list.html", **_list()))


def _list() -> dict[str, Any]:
    rows = page.rows_of(g.account)
    is_running = any(row.percent is not None for row in rows)
    return {
        "rows": rows,
        "poll_url": url_for(".status"),
        "poll_after_ms": POLL_MS if is_running else None,
    }


@blueprint.post("/")
@permits(MEMBER)
def begin() -> Any:
    """Export what the list of requests shows with these filters."""
    now = utc_now()
    filters = parse(request.form, ZoneInfo(g.account.timezone), now)
    try:
        export = _begun(filters, now)
    except PortalError as error:
        db.session.rollback()
        said(error.public_message, "failed")
        return redirect(url_for(".index"), 303)
    enqueue(advance_export, export.id, key=f"{export.id}-{export.generation}")
    db.session.commit()
    said("The export has begun. You may leave this page and come back.", "progress")
    return redirect(url_for(".index"), 303)


def _begun(filters: Filters, now: datetime) -> RequestExport:
    """Raises PortalError for what makes no sense: a file with more than was meant helps nobody."""
    if filters.problems:
        raise PortalError(f"Nothing is exported. {' '.join(filters.problems)}")
    if request.form.get("format") not in TYPES:
        raise PortalError("A file is either CSV or JSON Lines. Choose one of them.")
    llm_client = None
    if filters["client"]:
        llm_client = finding.for_account(g.account, filters["client"])
        if llm_client is None:
            abort(404)
    file_format = RequestExport.Formats(request.form["format"])
    user_id, name = FormActor().user_id, secrets.token_hex(16)
    export = exporting.begin(g.account, user_id, file_format, filters, llm_client, name, now)
    told = {"format": file_format.value, "filters": sorted(filters.values)}
    told |= {"from": export.starts_at.isoformat(), "to": export.ends_at.isoformat()}
    audit.record(FormActor(), "history_export_begun", export, after=told)
    return export


@blueprint.get("/<row_id:export_id>/file")
@permits(VIEWER)
def download(export_id: int) -> Any:
    """The file, in parts if the asker wants so; each download leaves an event."""
    export = owned_or_404(export_id)
    if export.state == States.WRITING:
        return redirect(url_for(".index"), 303)
    if export.state != States.READY or (export.expires_at and export.expires_at <= utc_now()):
        return error_page(410, GONE.get(export.state, GONE[States.EXPIRED]))
    path = files.path_of(export.file_name)
    if not path.is_file():
        return error_page(404, page.NOT_HERE)
    _note_download(export)
    response = send_file(
        path,
        TYPES[export.format],
        as_attachment=True,
        download_name=f"requests-{export.id}.{export.format}",
        conditional=True,
        etag=f"{export.id}-{export.bytes_written}",
        last_modified=export.finished_at,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _note_download(export: RequestExport) -> None:
    """An event, although it was a GET: who has taken the words away can be told later."""
    db.session.commit()  # ends the reading
    with writing():
        told = {"rows": export.rows_written, "octets": export.bytes_written}
        audit.record(FormActor(), "history_export_downloaded", export, after=told)
        db.session.commit()


@blueprint.post("/<row_id:export_id>/cancel")
@permits(MEMBER)
def cancel(export_id: int) -> Any:
    """Stop writing; what is written goes."""
    export = owned_or_404(export_id)
    if export.state == States.WRITING:
        exporting.cancel(export, utc_now())
        audit.record(FormActor(), "history_export_cancelled", export)
        db.session.commit()
        said("The export is cancelled.")
    return redirect(url_for(".index"), 303)


@blueprint.post("/<row_id:export_id>/delete")
@permits(MEMBER)
def delete(export_id: int) -> Any:
    """Delete the file before its time, and the export's line in the list."""
    export = owned_or_404(export_id)
    audit.record(FormActor(), "history_export_deleted", export)
    exporting.delete(export)
    db.session.commit()
    said("The export is deleted.")
    return redirect(url_for(".index"), 303)
