"""Proofs for a certificate authority, on any host that it asks; a browser never comes here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, request

from portal.certificates import challenges
from portal.custom_domains import preflight
from portal.database import current_settings, db
from portal.llm_clients.hostnames import host_of
from portal.web import ANYBODY, permits

blueprint = Blueprint("proofs", __name__)


@blueprint.get("/.well-known/acme-challenge/<proof_token:token>")
@permits(ANYBODY)
def show(token: str) -> Any:
    """What this very host answers to a token, also before it is open; 404 for any other."""
    host = host_of(request.host)
    content = challenges.answer(host, token)
    db.session.rollback()
    if content is None:
        content = preflight.content(current_settings().secret_key, host, token)
    if content is None:
        abort(404)
    answer = current_app.response_class(content, mimetype="text/plain")
    answer.headers["Cache-Control"] = "no-store"
    return answer
