"""A client's tab "Usage"."""

from __future__ import annotations

from flask import g, render_template, request

from portal.database import utc_now
from portal.llm_clients.pages.views import blueprint, owned_or_404
from portal.overview import hours, page, parts
from portal.overview.scope import Scope
from portal.web import VIEWER, permits


@blueprint.get("/<public_id:llm_client_id>/usage")
@permits(VIEWER)
def usage(llm_client_id: str) -> str:
    """How often it was asked, how well it answered, and what that cost."""
    llm_client = owned_or_404(llm_client_id)
    scope = Scope(g.account, llm_client)
    shown = page.of(scope, request.args, utc_now())
    return render_template(
        "llm_clients/usage.html",
        llm_client=llm_client,
        usage=shown,
        tables=[] if shown.is_empty else parts.of_client(shown.figures, scope),
        hours=[] if shown.is_empty else hours.of(scope, shown.span),
    )
