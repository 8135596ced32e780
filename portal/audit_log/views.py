"""The audit log on pages: of the account for its admins, of the platform for who runs it."""

from __future__ import annotations

import time
from typing import Any
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)

from portal.accounts import audit
from portal.audit_log import checks, exporting, listing, page, verifying
from portal.audit_log.filters import Filters, parse
from portal.audit_log.models import PLATFORM
from portal.database import db, reading, utc_now, writing
from portal.formatting import plural
from portal.web import ADMIN, SUPERUSER, FormActor, permits, said

blueprint = Blueprint("audit_log", __name__, url_prefix="/audit")
LONGEST_CHECK = 2.0  # seconds that somebody waits for a page
GIVE_WAY_EVERY = 100  # lines of a file
GO_ON = "The rest is checked when you go on, or all of it by the command verify-audit-log."


@blueprint.get("/")
@permits(ADMIN)
def index() -> str:
    """Newest first, with what the address asks for."""
    return _list(g.account.id, ".index")


@blueprint.get("/platform")
@permits(SUPERUSER)
def platform() -> str:
    """What belongs to no account: commands, and sign-ins of nobody who is known."""
    return _list(PLATFORM, ".platform")


def _list(number: int, view: str) -> str:
    told = page.content(number, _filters(request.args), view)
    return render_template("audit_log/index.html", **told, check_after=_check_after())


def _check_after() -> int | None:
    return request.args.get("check_after", type=int)


def _filters(typed: Any) -> Filters:
    return parse(typed, ZoneInfo(g.account.timezone), utc_now())


@blueprint.post("/check")
@permits(ADMIN, writes=False)
def check() -> Any:
    """Hold the account's chain against its seals."""
    return _checked(g.account.id, ".index")


@blueprint.post("/platform/check")
@permits(SUPERUSER, writes=False)
def check_platform() -> Any:
    """The same for what belongs to no account."""
    return _checked(PLATFORM, ".platform")


def _checked(number: int, view: str) -> Any:
    deadline = time.monotonic() + LONGEST_CHECK
    after = max(0, min(request.form.get("after", 0, type=int), 2**62))
    verifying.begin_looking()
    found = verifying.verify(number, lambda *_: _gives_way(deadline), after)
    db.session.rollback()
    with writing():
        told = {"problem": found.problem, "checked": found.checked, "last": found.last}
        audit.record(FormActor(), "audit_log_checked", after=told)
        _keep(number, found, is_round=not after)
        db.session.commit()
    said(_sentence(found), "failed" if found.problem else "ready" if found.is_whole else "progress")
    is_over = bool(found.problem) or found.is_whole
    return redirect(url_for(view, check_after=None if is_over else found.last), 303)


def _keep(number: int, found: verifying.Found, *, is_round: bool) -> None:
    """What somebody found counts as what the portal saw; half a round says nothing of the rest."""
    check = checks.of_chain(number)
    if check is not None and (found.problem or (is_round and found.is_whole)):
        checks.record(check, found, utc_now())


def _gives_way(deadline: float) -> bool:
    """Whether there is time left; lets the web process answer others between two batches."""
    time.sleep(0)
    return time.monotonic() < deadline


def _sentence(found: verifying.Found) -> str:
    count = plural(found.unsealed, "event waits", "events wait")
    waiting = f" {count} to be sealed." if found.unsealed else ""
    if found.problem:
        return f"The audit log is not as the portal wrote it. {found.problem}{waiting}"
    if not found.is_whole:
        return f"In order up to event {found.last:,} of {found.newest:,}. {GO_ON}"
    head = f" The newest has the seal {found.seal[:16]}." if found.seal else ""
    events = plural(found.checked, "event is", "events are")
    return f"{events} as the portal wrote them, none missing, none added.{head}{waiting}"


@blueprint.post("/export")
@permits(ADMIN, writes=False)
def export() -> Any:
    """The events of the filters as a file, while they are read."""
    return _file(g.account.id, g.account.account_number)


@blueprint.post("/platform/export")
@permits(SUPERUSER, writes=False)
def export_platform() -> Any:
    """The same for what belongs to no account."""
    return _file(PLATFORM, "platform")


def _file(number: int, name: str) -> Any:
    file_format = request.form.get("format", "")
    if file_format not in exporting.WRITERS:
        abort(400)
    filters = _filters(request.form)
    db.session.rollback()
    with writing():
        told = {"format": file_format, "filters": filters.query}
        audit.record(FormActor(), "audit_log_exported", after=told)
        db.session.commit()
    lines = exporting.WRITERS[file_format](listing.every(number, filters.conditions()))
    answer = current_app.response_class(
        stream_with_context(_read(lines)), mimetype=exporting.TYPES[file_format].partition(";")[0]
    )
    answer.headers["Content-Type"] = exporting.TYPES[file_format]
    answer.headers["Content-Disposition"] = f'attachment; filename="audit-{name}.{file_format}"'
    return answer


def _read(lines: Any) -> Any:
    with reading():
        for number, line in enumerate(lines):
            if number % GIVE_WAY_EVERY == 0:
                time.sleep(0)
            yield line
