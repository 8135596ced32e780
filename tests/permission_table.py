"""Writes docs/permissions.md: every route of every plane with the least role that it asks for.

Run `python -m tests.permission_table` after a route was added or its `@permits` changed; a test
compares.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet
from flask import Flask

from portal.app import (
    create_admin_app,
    create_api_app,
    create_internal_app,
    create_serving_app,
)
from portal.settings import Settings
from portal.web import permission_table

TARGET = Path(__file__).parent.parent / "docs" / "permissions.md"
HEAD = """# Who may do what

Written by `python -m tests.permission_table` from the `@permits` of each view; the request itself
is held against the same declaration (`portal/web/before_requests.py`). From least to most:

| | |
|---|---|
| anybody | no sign-in: the sign-in, links that carry their own right, visitors, programs |
| signed_in | whoever is signed in, in any role |
| viewer | sees everything of the account except what only admins see |
| member | creates LLM clients and changes their own |
| admin | everything in the account |
| superuser | runs the platform; enters an account as a guest with an admin’s role |

Whatever belongs to another account is answered with 404 in every role.
"""


def table_of(app: Flask, title: str) -> str:
    """One plane's routes as a table."""
    lines = [f"\n## {title}\n", "| Least role | Method | Path | View |", "|---|---|---|---|"]
    for route in permission_table(app):
        methods = ", ".join(route.methods)
        lines.append(f"| {route.least} | {methods} | `{route.path}` | {route.endpoint} |")
    return "\n".join(lines) + "\n"


def written(admin: Flask, serving: Flask, internal: Flask, api: Flask) -> str:
    """The whole document."""
    planes = (
        (admin, "Admin plane"),
        (serving, "Serving plane"),
        (internal, "Internal plane"),
        (api, "API plane, by a personal token"),
    )
    return HEAD + "".join(table_of(app, title) for app, title in planes)


def main() -> None:
    """Build the planes over a database that is never asked, and write."""
    settings = Settings(
        database_url="postgresql+psycopg://nobody@127.0.0.1:9/none",
        secret_key="-",
        encryption_keys=(Fernet.generate_key().decode(),),
    )
    planes = create_admin_app, create_serving_app, create_internal_app, create_api_app
    TARGET.write_text(written(*(create(settings) for create in planes)))


if __name__ == "__main__":
    main()
