"""What people of the account were told, as one of them sees it; the bell leads here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for

from portal.database import db, utc_now
from portal.formatting import StatusView, status_view
from portal.notices import finding
from portal.notices.kinds import RULES, Kind
from portal.notices.models import Notice
from portal.web import VIEWER, number_argument, permits, said

blueprint = Blueprint("notifications", __name__, url_prefix="/notifications")


@dataclass(frozen=True)
class Row:
    """One notice of the list."""

    notice: Notice
    status: StatusView
    is_new: bool


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """Newest first; all, or what is new to the person only."""
    before, only_unseen = number_argument("before"), request.args.get("show") == "new"
    found, older = finding.page(g.profile, before, only_unseen=only_unseen)
    shown = {"show": "new"} if only_unseen else {}
    return render_template(
        "notifications/index.html",
        rows=[Row(notice, status_of(notice), is_new) for notice, is_new in found],
        newest=found[0][0].id if found and before is None else None,
        only_unseen=only_unseen,
        older_url=url_for(".index", before=older, **shown) if older else None,
        newer_url=url_for(".index", **shown) if before else None,
    )


def status_of(notice: Notice) -> StatusView:
    """Its level's colour and icon with a word of what it is about."""
    words = {
        Kind.REPORT: "Report",
        Kind.NEW_SIGN_IN: "Sign-in",
        Kind.KEY_USED_ELSEWHERE: "API key",
        Kind.WEBHOOK_OFF: "Webhook",
        Kind.AUDIT_LOG_ALTERED: "Audit log",
    }
    groups = {"Custom domains": "Domain", "Deployments": "Deployment"}
    groups |= {"Certificates": "Certificate", "Use": "Use"}
    word = words.get(notice.kind) or groups[RULES[notice.kind].group]
    return status_view(notice.level.value, word)


@blueprint.post("/seen")
@permits(VIEWER)
def see_all() -> Any:
    """All that the page showed are seen; what came since is not."""
    up_to = request.form.get("up_to", type=int)
    if up_to is None or not 0 < up_to < 2**63:
        abort(400)
    finding.see_all(g.profile, up_to, utc_now())
    db.session.commit()
    said("All of them are marked as seen.")
    return redirect(url_for(".index"), 303)


@blueprint.post("/<row_id:notice_id>/seen")
@permits(VIEWER)
def see(notice_id: int) -> Any:
    """One is seen."""
    notice = finding.for_person(g.profile, notice_id)
    if notice is None:
        abort(404)
    finding.see(g.profile, notice)
    db.session.commit()
    is_filtered = request.form.get("show") == "new"
    return redirect(url_for(".index", **({"show": "new"} if is_filtered else {})), 303)
