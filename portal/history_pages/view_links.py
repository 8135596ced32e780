"""Saved views as links above the list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import url_for

from portal.history_pages.models import SavedView


@dataclass(frozen=True)
class ViewLink:
    """A saved view that can be chosen."""

    id: int
    name: str
    url: str
    is_current: bool


def query_of(view: SavedView) -> dict[str, str]:
    """What its address says; texts only, whatever is stored."""
    stored = view.query if isinstance(view.query, dict) else {}
    return {name: value for name, value in stored.items() if isinstance(value, str)}


def links_of(views: Iterable[SavedView], shown: Mapping[str, str]) -> list[ViewLink]:
    """In their order; the one that is shown is told apart."""
    return [
        ViewLink(
            view.id,
            view.name,
            url_for("request_history.index", **query_of(view)),
            query_of(view) == dict(shown),
        )
        for view in views
    ]
