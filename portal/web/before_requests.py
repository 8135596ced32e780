"""What is checked before a view runs: the address, the origin of forms, the permission."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from flask import Response, abort, current_app, g, redirect, request, url_for
from flask_login import current_user

from portal.database import declare_writes
from portal.web.error_pages import error_page
from portal.web.permissions import ANYBODY, SIGNED_IN, SUPERUSER, permission_of, rank_of

log = logging.getLogger(__name__)


OWN_SITE = ("same-origin", "none")


NO_ACCOUNT = "You have no active account. Ask an admin of your team for an invitation."


def prepare_request() -> None:
    """Before each request of any plane: a reference, and whether the database may be written.

    NUL in a query is refused here: PostgreSQL takes it in no text, and nobody types it.
    """
    g.request_id = secrets.token_hex(8)
    if request.query_string and _has_nul():
        abort(400)
    permission = permission_of(current_app, request.endpoint)
    if permission is not None:
        has_files = request.mimetype == "multipart/form-data"
        request.max_content_length = (
            permission.longest_body if has_files else permission.longest_text
        )
        request.max_form_memory_size = permission.longest_text
    declared = permission.writes if permission else None
    declare_writes(
        request.method not in ("GET", "HEAD", "OPTIONS") if declared is None else declared
    )


def _has_nul() -> bool:
    values = (value for values in request.args.listvalues() for value in values)
    return b"%00" in request.query_string or any("\x00" in value for value in values)


def refuse_foreign_forms() -> None:
    """Behind the CSRF token: a browser that says that another site sent the form is believed.

    Sec-Fetch-Site (W3C Fetch Metadata); programs and old browsers say nothing.
    """
    is_safe = request.method in ("GET", "HEAD", "OPTIONS")
    if not is_safe and request.headers.get("Sec-Fetch-Site", "same-origin") not in OWN_SITE:
        abort(403)


def check_permission() -> Any:
    """Admin plane: sign-in first, then the role in the account; too small a role gets 403."""
    if request.endpoint in (None, "static"):
        return None
    permission = permission_of(current_app, request.endpoint)
    if permission is None:
        abort(404)
    if permission.least == ANYBODY:
        return None
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    if g.get("profile") is None and request.endpoint != "accounts.logout":
        return error_page(403, NO_ACCOUNT)
    if not _may(permission.least):
        log.warning("user %s may not use %s", current_user.id, request.endpoint)
        abort(403)
    return None


def _may(least: str) -> bool:
    """Whether the person's role in the account, or on the platform, is enough."""
    if least == SUPERUSER:
        return bool(current_user.is_superuser)
    return least == SIGNED_IN or rank_of(str(g.profile.role)) >= rank_of(least)


def _ask_to_sign_in() -> Response:
    if request.method != "GET" or request.headers.get("X-Requested-With") == "fetch":
        abort(401)
    target = request.full_path if request.query_string else request.path
    return redirect(url_for("accounts.login", next=target), 303)  # type: ignore[return-value]
