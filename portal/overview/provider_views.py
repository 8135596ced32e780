"""A provider's tab "Usage"."""

from __future__ import annotations

from flask import abort, g, render_template, request

from portal.database import utc_now
from portal.overview import page, parts
from portal.overview.scope import Scope
from portal.providers import finding
from portal.providers.views import blueprint
from portal.web import VIEWER, permits


@blueprint.get("/<row_id:provider_id>/usage")
@permits(VIEWER)
def usage(provider_id: int) -> str:
    """How often it was asked for visitors, how well it answered, and what that cost."""
    provider = finding.for_account(g.account, provider_id)
    if provider is None:
        abort(404)
    scope = Scope(g.account, provider=provider.name)
    shown = page.of(scope, request.args, utc_now())
    return render_template(
        "providers/usage.html",
        provider=provider,
        usage=shown,
        tables=[] if shown.is_empty else parts.of_provider(shown.figures, scope),
    )
