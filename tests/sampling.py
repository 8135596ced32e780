"""Long tables of cases: a share of them in `make test`, all of them in what takes its time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def some_short(cases: Iterable[Any], one_in: int) -> list[Any]:
    """The cases as pytest's parameters; all but each `one_in`-th are of the long part."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=_marks(number % one_in))
        for number, case in enumerate(cases)
    ]


def _marks(rest: int) -> tuple[pytest.MarkDecorator, ...]:
    return (pytest.mark.long,) if rest else ()
