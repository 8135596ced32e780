"""A client's manifest at its own host, for programs of the account's people.

A client's API key opens its chat, not its system role: what counts here is a personal token.
Without one there is nothing at this address.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app

from portal.database import db, utc_now
from portal.llm_clients import finding
from portal.manifests import export
from portal.people import personal_tokens
from portal.serving.hosts import requested_client
from portal.serving.incoming import bearer
from portal.web import ANYBODY, permits

blueprint = Blueprint("serving_manifests", __name__)
YAML = "application/yaml; charset=utf-8"


@blueprint.get("/manifest/")
@blueprint.get("/api/v1/llm-clients/<public_id:public_id>/manifest/")
@permits(ANYBODY, writes=False)
def manifest(public_id: str | None = None) -> Response:
    """The newest configuration, as on the page."""
    served = requested_client(public_id)
    token = personal_tokens.opened(bearer() or "", utc_now())
    if token is None or token.profile.account_id != served.account_id:
        abort(404)
    llm_client = finding.for_account(token.profile.account, str(served.client_id))
    if llm_client is None:
        abort(404)
    answer = current_app.response_class(export.client_text(llm_client), content_type=YAML)
    answer.vary.add("Authorization")
    db.session.rollback()
    return answer
