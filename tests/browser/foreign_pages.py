"""Pages of somebody else: a little server on another port, which shows what it is given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.planes import LOOPBACK

Files = dict[str, tuple[str, bytes]]


class _Quiet(WSGIRequestHandler):
    def log_request(self, *arguments: Any) -> None:
        """Nobody reads it."""


class ForeignSite:
    """Files by path; `policy` is the Content-Security-Policy of all of them."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.policy = ""
        self.port = 0

    def origin(self, name: str = "shop.localhost") -> str:
        """The origin of the pages under one of this machine's names."""
        return f"http://{name}:{self.port}"

    def show(self, body: str, path: str = "/", *, head: str = "") -> None:
        """Have a page at a path."""
        page = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><title>The shop</title>{head}'
            f"</head><body>{body}</body></html>"
        )
        self.files[path] = ("text/html; charset=utf-8", page.encode())

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        found = self.files.get(environ["PATH_INFO"])
        if found is None:
            start_response("204 No Content", [])
            return []
        headers = [("Content-Type", found[0])]
        if self.policy:
            headers.append(("Content-Security-Policy", self.policy))
        start_response("200 OK", headers)
        return [found[1]]


@contextmanager
def foreign_site(files: Files | None = None) -> Iterator[ForeignSite]:
    """The server, as long as it is needed."""
    site = ForeignSite(dict(files or {}))
    server = make_server(LOOPBACK, 0, site, threaded=True, request_handler=_Quiet)
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield site
    server.shutdown()
    thread.join(5)
    server.server_close()


def attributes(**values: str) -> str:
    """`data-` attributes of an element."""
    return " ".join(
        f'data-{name.replace("_", "-")}="{escape(value)}"' for name, value in values.items()
    )
