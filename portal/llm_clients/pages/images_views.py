"""The uploaded images of a client on the admin plane, for the preview beside its form."""

from __future__ import annotations

from typing import Any

from flask import abort

from portal.llm_clients import images
from portal.llm_clients.pages.views import blueprint, owned_or_404
from portal.web import VIEWER, file_answer, permits


@blueprint.get("/<public_id:llm_client_id>/images/<digest:digest>")
@permits(VIEWER)
def image(llm_client_id: str, digest: str) -> Any:
    """An image of the account that the client's newest configuration shows."""
    llm_client = owned_or_404(llm_client_id)
    is_shown = digest in (llm_client.app_logo_upload, llm_client.app_background_upload)
    found = images.find(llm_client.account_id, digest) if is_shown else None
    if found is None:
        abort(404)
    answer = file_answer(found.content, found.media_type, digest)
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer
