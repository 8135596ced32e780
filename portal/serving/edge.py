"""The internal plane: certificates for the TLS edge, names that it may have, a sign of health.

The edge asks at every handshake, so it is answered from memory: see edge_memory.
"""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy import text

from portal.database import current_settings, db, utc_now
from portal.llm_clients.deployment.permitted import may_have_certificate
from portal.llm_clients.hostnames import host_of
from portal.serving import edge_memory
from portal.serving.edge_memory import NoAnswer, remembered
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
    _only_the_edge()
    host = host_of(request.args.get("server_name", ""))
    try:
        pem = edge_memory.certificate_of(host, utc_now()) if host else None
    except NoAnswer:
        return _away()
    db.session.rollback()
    if pem is None:
        return "", 204
    return current_app.response_class(pem, mimetype="application/x-pem-file")


@blueprint.get("/internal/ask")
@permits(ANYBODY)
def ask() -> Any:
    """Whether an edge that issues on demand may get a certificate for a name: 200, or 404."""
    _only_the_edge()
    host = host_of(request.args.get("domain", ""))
    try:
        is_permitted = bool(host) and remembered("ask", host, lambda: may_have_certificate(host))
    except NoAnswer:
        return _away()
    db.session.rollback()
    return ("", 200) if is_permitted else ("", 404)


def _only_the_edge() -> None:
    """The token as bearer, as the password of the URL, or in the query, for an edge that has no
    other way; 404 without it."""
    basic = request.authorization.password if request.authorization else ""
    given = bearer() or basic or request.args.get("token", "")
    expected = current_settings().internal_token
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        abort(404)


def _away() -> Response:
    return current_app.response_class("", 503, {"Retry-After": "5"})
