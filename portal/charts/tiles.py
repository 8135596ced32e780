"""Tiles: a few large numbers in a row, each with what it means, one perhaps with a meter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Meter:
    """How much of a budget is used: 0 to 100 and above, its name, and the token of its colour."""

    percent: float
    label: str
    token: str = "ready"  # noqa: S105 - a colour


@dataclass(frozen=True)
class Tile:
    """One number, with what it means below it, and where it leads."""

    label: str
    value: str
    note: str
    meter: Meter | None = None
    url: str = ""
