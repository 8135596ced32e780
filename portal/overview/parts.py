"""What a client's or a provider's requests are made of, as small tables with ways to the list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import url_for

from portal.charts import DURATION
from portal.formatting import money, number
from portal.overview import tiles
from portal.overview.figures import Figures
from portal.overview.scope import Scope
from portal.usage.series import Series
from portal.usage.tallies import Tally

MOST_LINES = 10
MODES = {"default": "Its own host", "custom": "A custom domain"}


@dataclass(frozen=True)
class PartLine:
    """One part: its name, where it is listed, and its numbers in words."""

    name: str
    url: str
    requests: str
    errors: str
    slow: str
    cost: str


@dataclass(frozen=True)
class PartTable:
    """Parts by one quality, the most asked first; `others` is how many more there are."""

    title: str
    lines: list[PartLine]
    others: int


Names = Callable[[str], str]


def of_client(figures: Figures, scope: Scope) -> list[PartTable]:
    """By revision, model, key and mode."""
    names = {str(key_id): name for key_id, name in figures.parts.key_names.items()}
    return [
        _table("Revision", "revision", _revision, _revision_name, figures, scope),
        _table("Model", "model", _model, str, figures, scope),
        _table("API key", "key", _key, lambda key: names.get(key, _key_name(key)), figures, scope),
        _table("Asked at", "mode", _mode, lambda mode: MODES.get(mode, mode), figures, scope),
    ]


def of_provider(figures: Figures, scope: Scope) -> list[PartTable]:
    """By model."""
    return [_table("Model", "model", _model, str, figures, scope)]


def _revision(series: Series) -> str:
    return str(series.revision_number or "")


def _model(series: Series) -> str:
    return series.model


def _key(series: Series) -> str:
    return str(series.api_key_id or "")


def _mode(series: Series) -> str:
    return series.mode


def _revision_name(value: str) -> str:
    return f"Revision {value}" if value else "None"


def _key_name(value: str) -> str:
    return f"Key {value}, deleted" if value else "No key"


def _table(
    title: str,
    filter_name: str,
    value_of: Callable[[Series], str],
    name_of: Names,
    figures: Figures,
    scope: Scope,
) -> PartTable:
    sums: dict[str, Tally] = {}
    for series, tally in figures.parts.tallies.items():
        sums.setdefault(value_of(series), Tally()).add(tally)
    ordered = sorted(sums.items(), key=lambda pair: (-pair[1].requests, pair[0]))
    address = {**figures.span.query, **scope.kept}
    lines = [
        _line(
            name_of(value) or "None",
            url_for("request_history.index", **address, **{filter_name: value}) if value else "",
            tally,
            scope.account.currency,
        )
        for value, tally in ordered[:MOST_LINES]
    ]
    return PartTable(title, lines, max(0, len(ordered) - MOST_LINES))


def _line(name: str, url: str, tally: Tally, currency: str) -> PartLine:
    slow = tally.took(0.95)
    return PartLine(
        name,
        url,
        number(tally.requests),
        tiles.errors(tally),
        "No answers" if slow is None else DURATION.in_words(slow),
        money(tally.cost_micros, currency),
    )
