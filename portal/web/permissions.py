"""Who may use a route: each declares it with `@permits(...)`; a test walks all routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask

View = TypeVar("View", bound=Callable[..., Any])


ANYBODY, SIGNED_IN, VIEWER, MEMBER, ADMIN = "anybody", "signed_in", "viewer", "member", "admin"


SUPERUSER = "superuser"


_RANK = {SIGNED_IN: 0, VIEWER: 1, MEMBER: 2, ADMIN: 3}


LONGEST_BODY = 1_000_000


@dataclass(frozen=True)
class Permission:
    """What a route declares: the least role, whether its transactions may write, how much it takes.

    `longest_body` is in octets, for forms with files; `longest_text` of what is no file.
    """

    least: str
    writes: bool | None = None
    longest_body: int = LONGEST_BODY
    longest_text: int = LONGEST_BODY


def permits(
    least: str,
    *,
    writes: bool | None = None,
    longest_body: int = LONGEST_BODY,
    longest_text: int = LONGEST_BODY,
) -> Callable[[View], View]:
    """Declare who may use a view. `writes` None: by the method (GET and HEAD do not write)."""

    def mark(view: View) -> View:
        found = Permission(least, writes, longest_body, longest_text)
        view.permission = found  # type: ignore[attr-defined]
        return view

    return mark


def permission_of(app: Flask, endpoint: str | None) -> Permission | None:
    """What the view of an endpoint declares, if there is one."""
    view = app.view_functions.get(endpoint or "")
    return getattr(view, "permission", None)


@dataclass(frozen=True)
class RoutePermission:
    """One line of the permission table."""

    path: str
    methods: tuple[str, ...]
    endpoint: str
    least: str


def permission_table(app: Flask) -> list[RoutePermission]:
    """Every route of a plane with the least role that `@permits` declares for it, by path."""
    found = [
        RoutePermission(
            path=rule.rule,
            methods=tuple(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})),
            endpoint=rule.endpoint,
            least=permission.least,
        )
        for rule in app.url_map.iter_rules()
        if (permission := permission_of(app, rule.endpoint)) is not None
    ]
    return sorted(found, key=lambda route: (route.path, route.methods))


def rank_of(role: str) -> int:
    """How much a role may, to compare with another one."""
    return _RANK[role]
