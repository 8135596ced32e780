"""Who answers at a host: what the checks of a domain ask, and anybody may."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app

from portal.custom_domains.identity import PATH
from portal.serving.hosts import requested_client
from portal.web import ANYBODY, permits

blueprint = Blueprint("identity", __name__)


@blueprint.get(PATH)
@permits(ANYBODY)
def show() -> Any:
    """The public id of this host's client, from memory; 404 for nobody's host, 503 while closed."""
    answer = current_app.response_class(requested_client().hashed_id, mimetype="text/plain")
    answer.headers["Cache-Control"] = "no-store"
    return answer
