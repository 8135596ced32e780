"""The list of requests, and its part that stays current."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, abort, g, render_template, request

from portal.database import utc_now
from portal.history_pages import address, choices, list_page
from portal.history_pages.address import Address
from portal.history_pages.choices import Offered
from portal.history_search import listing
from portal.web import VIEWER, permits

blueprint = Blueprint("request_history", __name__, url_prefix="/requests")


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """Newest first; the filters are the address."""
    shown = _address()
    found = _offered(shown)
    before, after = request.args.get("before", ""), request.args.get("after", "")
    page = listing.page(g.account.id, shown.filters, found.client, before, after)
    values = list_page.rows_of(g.account, shown, found.client, page)
    is_empty = not page.rows and not values["folded"] and not shown.filters.is_filtered
    is_empty = is_empty or (not page.rows and shown.filters.values.keys() == {"client"})
    newest = list_page.newest(g.account, found.client) if is_empty else None
    return render_template(
        "request_history/index.html",
        **values,
        **list_page.whole_of(g.account, shown, found),
        newest=newest,
        is_never=is_empty and newest is None and found.client is None,
    )


def _address() -> Address:
    return address.of(request.args, ZoneInfo(g.account.timezone), utc_now())


def _offered(shown: Address) -> Offered:
    found = choices.offered(g.account, shown.filters)
    if found is None:
        abort(404)
    return found
