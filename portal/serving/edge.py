"""The internal plane: certificates for the TLS edge, and a sign of health."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, abort, current_app, request
from sqlalchemy import text

from portal.certificates import store
from portal.database import current_settings, db, utc_now
from portal.llm_clients.hostnames import host_of
from portal.serving.incoming import bearer
from portal.web import ANYBODY, permits

blueprint = Blueprint("edge", __name__)


@blueprint.get("/healthz")
@permits(ANYBODY)
def health() -> Any:
    """200 when the database answers."""
    db.session.execute(text("SELECT 1"))
    return {"status": "ok"}


@blueprint.get("/internal/tls")
@permits(ANYBODY)
def certificate() -> Any:
    """The chain and key of a host for a handshake that is under way; 204 when there is none."""
    given = bearer() or request.args.get("token", "")
    expected = current_settings().internal_token
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        abort(404)
    found = store.good_certificate(host_of(request.args.get("server_name", "")), utc_now())
    if found is None:
        return "", 204
    return current_app.response_class(store.pem_of(found), mimetype="application/x-pem-file")
