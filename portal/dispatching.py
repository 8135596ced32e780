"""Who answers: the plane of the socket and of the host that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from portal.api import plane as api_plane
from portal.settings import Settings

LOOPBACK_HOSTS = ("127.0.0.1", "0.0.0.0")  # noqa: S104 - typed in browsers, not bound to
WSGI = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Dispatcher:
    """Chooses the plane: the internal listener by its socket, the others by Host."""

    def __init__(
        self, admin: WSGI, serving: WSGI, internal: WSGI, api: WSGI, settings: Settings
    ) -> None:
        self._admin, self._serving, self._internal = admin, serving, internal
        self._api, self._settings = api, settings

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._plane(environ)(environ, start_response)

    def _to_platform(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Who typed the address of this machine means the portal."""
        location = f"{self._settings.platform_url}/"
        start_response("302 Found", [("Location", location), ("Content-Length", "0")])
        return [b""]

    def _plane(self, environ: dict[str, Any]) -> WSGI:
        if _listening_port(environ) == self._settings.internal_port:
            return self._internal
        host = str(environ.get("HTTP_HOST", "")).rpartition("@")[2].partition(":")[0].lower()
        if self._settings.is_local and host in LOOPBACK_HOSTS:
            return self._to_platform
        if host.removesuffix(".") != self._settings.platform_host:
            return self._serving
        path = str(environ.get("PATH_INFO", ""))
        if api_plane.is_for(path):
            return self._api
        return self._serving if path.startswith(api_plane.ROOT) else self._admin


def _listening_port(environ: dict[str, Any]) -> int:
    """The port that the connection came in by; with TCP listeners no header changes it."""
    port = str(environ.get("SERVER_PORT", ""))
    return int(port) if port.isdigit() else 0
