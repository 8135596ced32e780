"""What every page shares: who may use a route, sign-in, CSRF, headers, error pages, filters.

A route declares its plane's permission with `@permits(...)`; a test walks all routes and fails on
one that does not.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.sessions import NullSession, SessionInterface, SessionMixin
from flask.wrappers import Request
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from jinja2 import StrictUndefined
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, IntegerConverter, Map

from portal import formatting
from portal.database import current_settings, db, declare_writes, utc_now

log = logging.getLogger(__name__)
View = TypeVar("View", bound=Callable[..., Any])

ANYBODY, SIGNED_IN, VIEWER, MEMBER, ADMIN = "anybody", "signed_in", "viewer", "member", "admin"
SUPERUSER = "superuser"
_RANK = {SIGNED_IN: 0, VIEWER: 1, MEMBER: 2, ADMIN: 3}
STATIC = Path(__file__).parent.parent / "static"
LONGEST_BODY = 1_000_000

OWN_SITE = ("same-origin", "none")

csrf = CSRFProtect()
login_manager = LoginManager()


@dataclass(frozen=True)
class Permission:
    """What a route declares: the least role, whether its transactions may write, how much it takes.

    `longest_body` is in octets, for forms with files.
    """

    least: str
    writes: bool | None = None
    longest_body: int = LONGEST_BODY


def permits(
    least: str, *, writes: bool | None = None, longest_body: int = LONGEST_BODY
) -> Callable[[View], View]:
    """Declare who may use a view. `writes` None: by the method (GET and HEAD do not write)."""

    def mark(view: View) -> View:
        view.permission = Permission(least, writes, longest_body)  # type: ignore[attr-defined]
        return view

    return mark


class NoSession(SessionInterface):
    """Visitors and programs have none of the admin plane's sessions, not even an empty one."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return _NO_SESSION

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """There is nothing to keep."""


_NO_SESSION = NullSession()


class RowId(IntegerConverter):
    """A row's number, as large as a database keeps; anything larger is no route."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


class PublicId(BaseConverter):
    """A client's number or its hashed id; anything else is no route."""

    regex = r"[0-9]{1,18}|[a-z][a-z0-9]{19}"


class SetupToken(BaseConverter):
    """What a set-up link carries: letters, digits, `_`, `-` and `.`, as itsdangerous writes it."""

    regex = r"[A-Za-z0-9_.-]{20,700}"


class Digest(BaseConverter):
    """A SHA-256 in hexadecimal digits."""

    regex = r"[0-9a-f]{64}"


class LinkToken(BaseConverter):
    """The secret of a link that was sent by mail (portal/people/link_tokens.py)."""

    regex = r"[A-Za-z0-9_-]{43}"


class ProofToken(BaseConverter):
    """A token of a certificate authority (RFC 8555 section 8.3); anything else is no route."""

    regex = r"[A-Za-z0-9_-]{20,128}"


def number_argument(name: str) -> int | None:
    """A positive number of the query string that an INTEGER column can hold, else None."""
    found = request.args.get(name, type=int)
    return found if found is not None and 0 < found < 2**31 else None


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


def prepare_request() -> None:
    """Before each request of any plane: a reference, and whether the database may be written.

    NUL in a query is refused here: PostgreSQL takes it in no text, and nobody types it.
    """
    g.request_id = secrets.token_hex(8)
    if b"%00" in request.query_string:
        abort(400)
    if any("\x00" in value for values in request.args.listvalues() for value in values):
        abort(400)
    permission = permission_of(current_app, request.endpoint)
    if permission is not None and request.mimetype == "multipart/form-data":
        request.max_content_length = permission.longest_body
    declared = permission.writes if permission else None
    declare_writes(
        request.method not in ("GET", "HEAD", "OPTIONS") if declared is None else declared
    )


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


def rank_of(role: str) -> int:
    """How much a role may, to compare with another one."""
    return _RANK[role]


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


def static_url(filename: str) -> str:
    """The address of a static file with its content's mark, so that it may be kept for ever."""
    known: dict[str, str] = current_app.extensions.setdefault("portal_static_urls", {})
    if filename not in known:
        mark = hashlib.sha256((STATIC / filename).read_bytes()).hexdigest()[:12]
        known[filename] = url_for("static", filename=filename, v=mark)
    return known[filename]


ADMIN_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def add_headers(response: Response) -> Response:
    """The set of headers that every answer carries, errors included."""
    response.headers.setdefault("Content-Security-Policy", ADMIN_POLICY)
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if current_settings().scheme == "https":
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "request_id" in g:
        response.headers["X-Request-ID"] = g.request_id
    if request.endpoint == "static":
        response.cache_control.max_age = 31_536_000
        response.cache_control.immutable = True
        response.cache_control.public = True
        response.cache_control.no_cache = None
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


DATABASE_AWAY = (OperationalError, PoolTimeout)
NO_ACCOUNT = "You have no active account. Ask an admin of your team for an invitation."
ERRORS = {
    400: ("That did not work", "The request was not understood."),
    401: ("Sign in first", "Your session has ended. Sign in and try again."),
    403: ("Not yours to change", "Your role in this account does not allow this."),
    404: ("Not found", "There is nothing at this address, or it belongs to another account."),
    405: ("Not possible here", "This address does not accept that kind of request."),
    412: ("Changed meanwhile", "It is not what you have seen any more. Look at it again first."),
    413: ("Too much", "What was sent is longer than we accept."),
    429: ("Too many requests", "Wait a moment and try again."),
    500: ("Something broke", "The fault is ours. It has been noted under the reference below."),
    503: (
        "Busy for a moment",
        "The database does not answer right now. Nothing was lost; try again.",
    ),
}


def error_page(code: int, sentence: str = "") -> tuple[str, int]:
    title, usual = ERRORS.get(code, ERRORS[400 if code < 500 else 500])
    page = render_template(
        "errors/error.html",
        code=code,
        title=title,
        sentence=sentence or usual,
        reference=g.get("request_id", ""),
    )
    return page, code


def _forget_who_asked() -> None:
    """So that the page that tells of a fault asks the database for nothing."""
    db.session.rollback()
    g.account, g.profile, g.profiles = None, None, []
    g._login_user = login_manager.anonymous_user()


def install_error_pages(app: Flask) -> None:
    """HTML for people; nothing that happened inside is told."""

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Any:
        if isinstance(error, CSRFError):
            return error_page(
                400, "This form was open for too long. Go back, reload it and try again."
            )
        if error.code is not None and error.code < 400:
            return error
        return error_page(error.code or 500)

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    def database_away(error: Exception) -> Any:
        log.warning("the database did not answer: %s", error)
        _forget_who_asked()
        page, code = error_page(503)
        return page, code, {"Retry-After": "5"}

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Any:
        log.exception("request %s failed", g.get("request_id"))
        _forget_who_asked()
        return error_page(500)


def install_filters(app: Flask) -> None:
    """What templates may call; an undefined name is an error."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["relative_time"] = lambda moment: formatting.relative_time(
        moment, utc_now(), zone()
    )
    app.jinja_env.filters["exact_time"] = lambda moment: formatting.exact_time(moment, zone())
    app.jinja_env.filters["iso_time"] = formatting.iso_time
    app.jinja_env.filters["milliseconds"] = formatting.milliseconds_in_words
    app.jinja_env.filters["number"] = formatting.number
    app.jinja_env.filters["enum_view"] = formatting.enum_view
    app.jinja_env.globals["static_url"] = static_url


def zone() -> str:
    """The time zone of the account that is being looked at."""
    account = g.get("account")
    return account.timezone if account else "UTC"


def safe_next(target: str | None) -> str:
    """A path on this site to go to after sign-in; anything else becomes the overview."""
    cleaned = (target or "").replace("\t", "").replace("\r", "").replace("\n", "")
    if not cleaned.startswith("/") or cleaned.startswith("//") or "\\" in cleaned:
        return url_for("overview.index")
    return cleaned


def forget_in_browser(response: Response) -> Response:
    """At sign-out: nothing that a page has kept there outlives the session (Clear-Site-Data)."""
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def myself() -> Any:
    """The signed-in person's row itself, where the stand-in of flask_login will not do."""
    return current_user._get_current_object()


class FormActor:
    """The signed-in person as the audit log sees them."""

    by = "form"

    @property
    def account_id(self) -> int | None:
        account = g.get("account")
        return account.id if account else None

    @property
    def user_id(self) -> int | None:
        return current_user.id if current_user.is_authenticated else None

    @property
    def address(self) -> str:
        return request.remote_addr or ""


def said(message: str, category: str = "ready") -> None:
    """A sentence at the top of the next page; the category is a status token."""
    flash(message, category)


def not_modified(body: str) -> Response:
    """An answer with an ETag of its body: 304 when the asker has it already."""
    response = current_app.make_response(body)
    response.set_etag(hashlib.sha256(body.encode()).hexdigest()[:16], weak=True)
    response.headers["Cache-Control"] = "no-cache, private"
    return response.make_conditional(request)


def file_answer(content: bytes, media_type: str, etag: str) -> Response:
    """Octets of ours with their type; 304 when the asker has them already."""
    response = current_app.response_class(content, mimetype=media_type)
    response.set_etag(etag)
    return response.make_conditional(request)
