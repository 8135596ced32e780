"""The OpenAPI document itself, for whoever asks: it says nothing of any account."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, json

from portal import __version__
from portal.api import openapi
from portal.database import current_settings
from portal.web import ANYBODY, permits

blueprint = Blueprint("api_document", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
@permits(ANYBODY)
def document() -> Response:
    """For generators of clients."""
    found = openapi.document_of(current_app._get_current_object(), _url(), __version__)  # type: ignore[attr-defined]
    return current_app.response_class(json.dumps(found), mimetype="application/json")


def _url() -> str:
    return current_settings().platform_url
