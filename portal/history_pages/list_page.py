"""What the list of requests shows: rows, chart, choices, and sentences about what was looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for
from sqlalchemy import select

from portal.accounts.models import Account
from portal.database import db
from portal.history_pages import chips, choices, columns, list_rows, when_chart
from portal.history_pages.address import Address
from portal.history_pages.choices import Client, Offered
from portal.history_search import listing
from portal.history_search.conditions import Row
from portal.history_search.filters import MODES
from portal.history_search.listing import Page
from portal.request_history import ranges
from portal.request_history.local_time import DAY, day_and_clock, day_start
from portal.request_history.numbering import FIRST_REQUEST, moment_of

# What stands in the fields below "More filters": name, label, hint, kind of keyboard.
TYPED = (
    ("host", "Host", "chat.example.com", "text"),
    ("error", "Error text", "A part of it", "text"),
    ("cause", "Cause", "timeout", "text"),
    ("session_key", "Session", "The whole key", "text"),
    ("tag", "Tag of the LLM client", "", "text"),
    ("slower", "Took at least (seconds)", "2.5", "decimal"),
    ("faster", "Took at most (seconds)", "10", "decimal"),
    ("cost", "Cost at least", "0.01", "decimal"),
    ("tokens", "Tokens at least", "1000", "numeric"),
)
MODE_WORDS = {"default": "Default host", "custom": "Custom domain", "sandbox": "Sandbox"}


def rows_of(
    account: Account, address: Address, client: Client | None, page: Page
) -> dict[str, Any]:
    """The values of the list itself, which is a part of its own for the live tail."""
    filters, zone = address.filters, address.filters.span.zone
    return {
        "lines": list_rows.lines(page.rows, address.columns, filters.span, account.currency),
        "headings": [(columns.LABELS[name], list_rows.look_of(name)) for name in address.columns],
        "older_url": _page_url(address, before=page.older),
        "newer_url": _page_url(address, after=page.newer),
        "shown": _shown(page, zone),
        "looked_to": day_and_clock(moment_of(page.looked_to), zone) if page.looked_to else "",
        "is_walked": page.is_walked,
        "folded": _folded(account, address, client, page),
        "query": address.query(),
    }


def _page_url(address: Address, **cursor: str | None) -> str | None:
    if not any(cursor.values()):
        return None
    return url_for("request_history.index", **address.query(**cursor, live=None))


def _shown(page: Page, zone: ZoneInfo) -> str:
    if not page.rows:
        return ""
    first, last = page.rows[-1].created_at, page.rows[0].created_at
    return f"{day_and_clock(first, zone)} to {day_and_clock(last, zone)}, newest first"


def _folded(
    account: Account, address: Address, client: Client | None, page: Page
) -> list[list_rows.FoldedDay]:
    """At the end of the last page; sums have nothing that other filters could ask for."""
    filters = address.filters
    if page.older or filters.values.keys() - {"client"}:
        return []
    found = listing.folded(account.id, filters, client)
    return list_rows.folded_days(found, filters.span.zone, account.currency)


def whole_of(account: Account, address: Address, found: Offered) -> dict[str, Any]:
    """Everything around the list: filters, chips, chart."""
    filters = address.filters
    select_url = url_for("request_history.index", **address.query(live=None))
    return {
        "address": address,
        "filters": filters,
        "chips": chips.of(address, found),
        "when": when_chart.of(account.id, filters, found, select_url),
        "ranges": ranges.CHOICES,
        "statuses": _statuses(filters["status"]),
        "kept": _kept(address),
        "kept_columns": columns.in_address(address.columns),
    }


def _kept(address: Address) -> list[tuple[str, str]]:
    """What the fields below "More filters" would send, while they are not there."""
    names = {"columns", "client", *choices.OF_PARTS, *(one[0] for one in TYPED)}
    return [(name, value) for name, value in address.query().items() if name in names]


def more_filters(address: Address, found: Offered) -> dict[str, Any]:
    """The fields below "More filters", and the choice of columns."""
    return {
        "selects": selects(found, address),
        "typed": [(*one, address.filters[one[0]]) for one in TYPED],
        "column_choices": [
            (name, label, name in address.columns) for name, label in columns.LABELS.items()
        ],
    }


def _statuses(chosen: str) -> list[tuple[str, str]]:
    known = list(chips.STATUSES.items())
    return known if chosen in ("", *chips.STATUSES) else [*known, (chosen, f"Status {chosen}")]


def selects(found: Offered, address: Address) -> list[tuple[str, str, str, list[choices.Option]]]:
    """Name, label, word for all, options; those of a client's parts only with a client."""
    filters = address.filters
    clients = [(client.hashed_id, client.name) for client in found.clients]
    if found.client and (found.client.hashed_id, found.client.name) not in clients:
        clients.append((found.client.hashed_id, found.client.name))
    lists = [("client", "LLM client", "Any LLM client", clients)]
    for name, label, anything in (
        ("mode", "Mode", "Any mode"),
        ("provider", "Provider", "Any provider"),
        ("model", "Model", "Any model"),
        ("revision", "Revision", "Any revision"),
        ("key", "API key", "Any key or none"),
    ):
        offered = choices.options(found, filters, name)
        if name == "mode":
            offered = _modes(offered)
        if name in choices.told_apart(found.client is not None) or filters[name]:
            lists.append((name, label, anything, offered))
    return lists


def _modes(offered: list[choices.Option]) -> list[choices.Option]:
    """In words; also those in which nothing was asked."""
    told = dict(offered)
    return [
        (name, told[name].replace(name, MODE_WORDS[name], 1) if name in told else MODE_WORDS[name])
        for name in MODES
    ]


def newest(account: Account, client: Client | None) -> tuple[datetime, dict[str, str]] | None:
    """When something was asked last, and the address of that day."""
    query = select(Row.id).where(Row.account_id == account.id, Row.id >= FIRST_REQUEST)
    if client is not None:
        query = select(Row.id).where(
            Row.llm_client_id == client.id,
            Row.account_id + 0 == account.id,
            Row.id >= FIRST_REQUEST,
        )
    number = db.session.scalar(query.order_by(Row.id.desc()).limit(1))
    if number is None:
        return None
    moment, zone = moment_of(number), ZoneInfo(account.timezone)
    day = moment.astimezone(zone).date()
    if moment < day_start(day, zone):
        day -= DAY
    return moment, {"from": day.isoformat(), "to": day.isoformat()}
