"""Manifests for programs: the whole account as YAML, and several things applied at once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, g, request

from portal.api import asking
from portal.api.describing import Operation, describes
from portal.api.problems import Refusal
from portal.manifests import carrying_out, export, planning, reading
from portal.manifests.applying import Change
from portal.manifests.carrying_out import Stale
from portal.manifests.checking import Problem
from portal.manifests.reading import NotReadable
from portal.web import ADMIN, MEMBER, permits

blueprint = Blueprint("api_manifests", __name__, url_prefix="/api/v1/manifests")
LONGEST_TEXT = 7_000_000
TAG = "Manifests"
YAML = "application/yaml; charset=utf-8"
REFUSED = "Nothing was applied."
QUERY = {"dryRun": "`true` to see what would change and change nothing."}


@blueprint.get("/")
@permits(ADMIN)
@describes(Operation("Export the account", TAG, "yaml"))
def export_account() -> Response:
    """Everything of the account, without secrets and history."""
    parts = export.parts_of(export.account_file(g.account))
    return current_app.response_class(parts, content_type=YAML)


@blueprint.post("/")
@permits(MEMBER, longest_text=LONGEST_TEXT)
@describes(Operation("Apply manifests", TAG, "Changes", takes="yaml", query=QUERY))
def apply() -> dict[str, Any]:
    """YAML, one or several documents; nothing is applied if one of them cannot be."""
    dry = request.args.get("dryRun", "false")
    if dry not in ("true", "false"):
        raise Refusal(422, "dryRun must be true or false.")
    try:
        documents = reading.documents_of(request.get_data().decode("utf-8", "replace"))
    except NotReadable as error:
        raise Refusal(422, error.public_message) from error
    if not documents:
        raise Refusal(422, "There is no manifest in the body.")
    person = asking.person()
    planned = planning.plan(documents, person)
    if not planned.is_possible:
        raise Refusal(422, REFUSED, _problems(planned.changes))
    changes: Any = planned.changes
    if dry == "false":
        try:
            changes = carrying_out.carry_out(documents, person, planned)
        except Stale as error:
            raise Refusal(409, error.public_message) from error
    return {"applied": dry == "false", "changes": [_shown(one) for one in changes]}


def _problems(changes: tuple[Change, ...]) -> list[Problem]:
    return [
        Problem(one.path, f"Line {one.line or change.line}: {one.sentence}")
        for change in changes
        for one in change.problems
    ]


def _shown(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "name": change.title,
        "action": change.action.value,
        "remarks": list(change.remarks),
        "secret": change.secret,
        "differences": [
            {"field": one.label, "before": one.before, "after": one.after}
            for one in change.differences
        ],
    }
