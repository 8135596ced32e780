"""Pages of other origins: which may read a client's answers, prompt it, and frame its chat.

A client with a list of allowed origins answers those and its own host's pages. One without a list
answers any page, as the chat component expects: nothing of the admin plane's sign-in counts here.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from portal.database import current_settings, end_reading
from portal.llm_clients.hostnames import host_of
from portal.serving import served as served_clients
from portal.serving.served import Served
from portal.web import ADMIN_POLICY, DATABASE_AWAY

COMPONENT_HEADERS = "authorization, content-type, x-csrftoken"
CHAT_PAGE, EMBEDDED_PAGE = "serving.chat", "embedding"
_FRAME_ANCESTORS = re.compile(r"frame-ancestors [^;]*")


def init_app(app: Flask) -> None:
    """Let every answer of this plane, errors included, say who may read and frame it."""
    app.after_request(_add_headers)


def is_allowed(served: Served | None, origin: str) -> bool:
    """Whether a page of this origin may use the client; where none is known, nothing is kept back.

    An empty origin is a program's, or a page's own plain request.
    """
    if served is None or not origin or not served.allowed_origins:
        return True
    return origin in served.allowed_origins or _is_own(served, origin)


def _is_own(served: Served, origin: str) -> bool:
    """The client's host, or the host that was asked; the scheme is the proxy's affair."""
    asked = urlsplit(origin).netloc
    return asked in (
        request.host.lower(),
        urlsplit(current_settings().url_of(served.hostname)).netloc,
    )


def frame_ancestors(served: Served | None, *, is_embedded: bool) -> str:
    """Who may frame a page: the list and the own host; without a list only the embedded page, by
    anybody."""
    if served is not None and served.allowed_origins:
        return " ".join(("frame-ancestors 'self'", *served.allowed_origins))
    return "frame-ancestors *" if is_embedded else "frame-ancestors 'none'"


def _add_headers(response: Response) -> Response:
    if "Vary" in response.headers:
        response.vary.add("Origin")
    else:
        response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin", "")
    frames = str(request.endpoint).startswith((CHAT_PAGE, EMBEDDED_PAGE))
    served = asked_client() if origin or frames else None
    if origin and is_allowed(served, origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers.setdefault("Access-Control-Allow-Methods", "POST")
        response.headers.setdefault("Access-Control-Allow-Headers", COMPONENT_HEADERS)
    if frames:
        policy = response.headers.get("Content-Security-Policy", ADMIN_POLICY)
        is_embedded = str(request.endpoint).startswith(EMBEDDED_PAGE)
        allowed = frame_ancestors(served, is_embedded=is_embedded)
        response.headers["Content-Security-Policy"] = _FRAME_ANCESTORS.sub(allowed, policy)
    return response


def asked_client() -> Served | None:
    """The client of the host or number that was asked, though no view looked for it."""
    if "served" in g:
        return g.served  # type: ignore[no-any-return]
    public_id = (request.view_args or {}).get("public_id")
    try:
        if public_id:
            return served_clients.by_public_id(public_id)
        return served_clients.by_host(host_of(request.host))
    except DATABASE_AWAY:
        return None
    finally:
        end_reading()
