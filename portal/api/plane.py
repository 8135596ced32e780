"""The plane's own routes, errors and question of who asks, put onto an application."""

from __future__ import annotations

from flask import Flask

from portal import web
from portal.api import (
    asking,
    clients_views,
    domains_views,
    keys_views,
    manifests_views,
    openapi_views,
    problems,
    replaying,
    requests_views,
)

ROOT = "/api/v1/"
VISITORS = "/api/v1/llm-clients/"  # where the chat component asks: the serving plane


def is_for(path: str) -> bool:
    """Whether a path of the platform's host is this plane's."""
    return path.startswith(ROOT) and not path.startswith(VISITORS)


def init_app(app: Flask) -> None:
    """No session and no cookie; every request presents its token."""
    app.session_interface = web.NoSession()
    app.json.sort_keys = False  # type: ignore[attr-defined]
    problems.init_app(app)
    asking.init_app(app)
    replaying.init_app(app)
    for views in (
        clients_views,
        domains_views,
        keys_views,
        requests_views,
        manifests_views,
        openapi_views,
    ):
        app.register_blueprint(views.blueprint)
