"""What a view of the API tells of itself; the OpenAPI document is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """One method of one path. `answer` and `takes` are names of schemas, "" for none.

    `query` are parameters of the address with what they mean; `example` is a body to send.
    `has_tag`: the answer carries an ETag, and If-Match or If-None-Match is read.
    """

    summary: str
    tag: str
    answer: str = ""
    status: int = 200
    takes: str = ""
    query: dict[str, str] = field(default_factory=dict)
    example: dict[str, Any] = field(default_factory=dict)
    has_tag: bool = False


def describes(operation: Operation) -> Callable[[View], View]:
    """Note it at the view."""

    def mark(view: View) -> View:
        view.operation = operation  # type: ignore[attr-defined]
        return view

    return mark


def operation_of(view: Any) -> Operation | None:
    """What a view tells of itself, if it does."""
    return getattr(view, "operation", None)
