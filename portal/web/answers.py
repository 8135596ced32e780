"""Headers of every answer, static addresses, answers that a browser may have already."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response, current_app, g, request, url_for
from flask.sessions import NullSession, SessionInterface, SessionMixin
from flask.wrappers import Request

from portal.database import current_settings

STATIC = Path(__file__).parent.parent.parent / "static"


ADMIN_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


HEADERS = (
    ("Content-Security-Policy", ADMIN_POLICY),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
HEADERS_HTTPS = (*HEADERS, ("Strict-Transport-Security", "max-age=31536000"))


class NoSession(SessionInterface):
    """Visitors and programs have none of the admin plane's sessions, not even an empty one."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return _NO_SESSION

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """There is nothing to keep."""


_NO_SESSION = NullSession()


def add_headers(response: Response) -> Response:
    """The set of headers that every answer carries, errors included."""
    told = {name.lower() for name, _ in response.headers}
    wanted = HEADERS_HTTPS if current_settings().scheme == "https" else HEADERS
    for name, value in wanted:
        if name.lower() not in told:
            response.headers.add(name, value)
    if "request_id" in g:
        response.headers["X-Request-ID"] = g.request_id
    if request.endpoint == "static":
        response.cache_control.max_age = 31_536_000
        response.cache_control.immutable = True
        response.cache_control.public = True
        response.cache_control.no_cache = None
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    elif "cache-control" not in told:
        response.headers.add("Cache-Control", "no-store")
    return response


def static_url(filename: str) -> str:
    """The address of a static file with its content's mark, so that it may be kept for ever."""
    known: dict[str, str] = current_app.extensions.setdefault("portal_static_urls", {})
    if filename not in known:
        mark = hashlib.sha256((STATIC / filename).read_bytes()).hexdigest()[:12]
        known[filename] = url_for("static", filename=filename, v=mark)
    return known[filename]


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


def forget_in_browser(response: Response) -> Response:
    """At sign-out: nothing that a page has kept there outlives the session (Clear-Site-Data)."""
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
