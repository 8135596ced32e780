"""The list of requests, and its part that stays current."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, current_app, g, render_template, request

from portal.database import utc_now
from portal.history_pages import address, choices, list_page, saved, tail
from portal.history_pages.address import Address
from portal.history_pages.choices import Client, Offered
from portal.history_pages.view_links import links_of
from portal.history_search import listing
from portal.llm_clients import finding
from portal.web import VIEWER, has_part, permits

blueprint = Blueprint("request_history", __name__, url_prefix="/requests")


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """Newest first; the filters are the address."""
    now, are_filters_wanted = utc_now(), has_part("filters")
    shown = _address(now)
    found = _offered(shown, are_filters_wanted)
    before, after = request.args.get("before", ""), request.args.get("after", "")
    page = listing.page(g.account.id, shown.filters, found.client, before, after)
    values = list_page.rows_of(g.account, shown, found.client, page)
    is_alone = shown.filters.values.keys() <= {"client"}
    is_empty = not page.rows and not values["folded"] and is_alone
    newest = list_page.newest(g.account, found.client) if is_empty else None
    can_be_live = shown.filters.span.end > now
    is_first = not before and not after
    is_live = shown.is_live and can_be_live and is_first
    return render_template(
        "request_history/index.html",
        **values,
        **list_page.whole_of(g.account, shown, found),
        **(list_page.more_filters(shown, found) if are_filters_wanted else {}),
        newest=newest,
        is_never=is_empty and newest is None and found.client is None and not shown.is_live,
        can_be_live=can_be_live,
        live=tail.live(shown, page.rows, None, now, shown.filters.span.zone) if is_live else None,
        views=links_of(saved.seen_by(g.profile), shown.saved),
        saved_query=urlencode(shown.saved),
    )


@blueprint.get("/tail")
@permits(VIEWER)
def tail_part() -> Any:
    """The first page's rows, or 304 while nothing came in."""
    now = utc_now()
    shown = _address(now)
    client = _client(shown)
    response = current_app.response_class(mimetype="text/html")
    response.set_etag(tail.mark(g.account.id, client.id if client else None, now), weak=True)
    response.headers["Cache-Control"] = "no-cache, private"
    response.make_conditional(request)
    if response.status_code == 304:
        return response
    page = listing.page(g.account.id, shown.filters, client)
    since = listing.key_of(request.args.get("since", ""))
    response.set_data(
        render_template(
            "request_history/_list.html",
            **list_page.rows_of(g.account, shown, client, page),
            live=tail.live(shown, page.rows, since or 0, now, shown.filters.span.zone),
        )
    )
    return response


def _address(now: datetime) -> Address:
    return address.of(request.args, ZoneInfo(g.account.timezone), now)


def _offered(shown: Address, are_wanted: bool) -> Offered:
    found = choices.offered(g.account, shown.filters, are_wanted=are_wanted)
    if found is None:
        abort(404)
    return found


def _client(shown: Address) -> Client | None:
    if not shown.filters["client"]:
        return None
    found = finding.for_account(g.account, shown.filters["client"])
    if found is None:
        abort(404)
    return Client(found.id, found.hashed_id, found.name)
