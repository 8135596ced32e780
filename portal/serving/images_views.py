"""The uploaded images of a client, on its own host."""

from __future__ import annotations

from typing import Any

from flask import abort

from portal.database import db
from portal.llm_clients import images
from portal.serving.chat_images import PATH
from portal.serving.hosts import requested_client
from portal.serving.views import blueprint
from portal.web import ANYBODY, file_answer, permits


@blueprint.get(f"{PATH}<digest:digest>")
@permits(ANYBODY)
def image(digest: str) -> Any:
    """An image that the client shows now; its address is its content, so it may be kept."""
    served = requested_client()
    is_shown = images.are_in(served.content, digest)
    found = images.find(served.account_id, digest) if is_shown else None
    db.session.rollback()
    if found is None:
        abort(404)
    answer = file_answer(found.content, found.media_type, digest)
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
