"""An admin at a browser who tries again when the portal does not answer."""

from __future__ import annotations

import http.client
import re
import time
from typing import Any
from urllib.parse import urlencode

from bs4 import BeautifulSoup, Tag

from tests.kill.running_portal import LOOPBACK, PASSWORD, RunningPortal

PATIENCE_SECONDS = 45.0


class Admin:
    """Signed in as the first admin; what it does may be repeated, so it is until it is answered."""

    def __init__(self, portal: RunningPortal) -> None:
        self._portal = portal
        self._cookie = ""
        self.slowest = (0.0, "")
        token = _token(self.ask("GET", "/login")[1])
        sent = {"csrf_token": token, "username": "admin", "password": PASSWORD}
        status, page, _ = self.ask("POST", "/login", sent)
        assert status == 303, page

    def ask(
        self, method: str, path: str, values: dict[str, Any] | None = None
    ) -> tuple[int, str, str]:
        """Status, page and Location of the first answer that is none of a portal in trouble."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._ask_once(method, path, values)
            except (OSError, http.client.HTTPException) as error:
                trouble = repr(error)
            else:
                if answer[0] != 503:
                    return answer
                trouble = answer[1]
            assert time.monotonic() < deadline, f"{method} {path}: {trouble}"
            time.sleep(0.1)

    def _ask_once(
        self, method: str, path: str, values: dict[str, Any] | None
    ) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection(LOOPBACK, self._portal.port, timeout=10)
        headers = {"Host": self._portal.host, "Cookie": self._cookie}
        body = urlencode(values, doseq=True) if values is not None else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        started = time.monotonic()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            page = response.read().decode()
            self.slowest = max(self.slowest, (time.monotonic() - started, f"{method} {path}"))
            found = re.match(r"portal_session=[^;]*", response.headers.get("Set-Cookie", ""))
            self._cookie = found.group() if found else self._cookie
            return response.status, page, response.headers.get("Location", "")
        finally:
            connection.close()

    def create(self, name: str, **values: Any) -> str:
        """A new client with what the form suggests, or these values; the path of its page."""
        return self.fill("/llm-clients/new", name=name, **values)

    def fill(self, path: str, **values: Any) -> str:
        """Send the form of a page with these values; where that leads."""
        page = BeautifulSoup(self.ask("GET", path)[1], "html5lib")
        status, answer, location = self.ask("POST", path, {**_values(page), **values})
        assert status == 303, answer
        return location

    def deploy(self, path: str) -> None:
        """Press Deploy, and confirm."""
        token = _token(self.ask("GET", path + "deploy")[1])
        status, answer, _ = self.ask(
            "POST", path + "deploy", {"csrf_token": token, "confirm": "yes"}
        )
        assert status == 303, answer


def _token(page: str) -> str:
    field = BeautifulSoup(page, "html5lib").select_one("input[name=csrf_token]")
    assert field is not None, page
    return str(field["value"])


def _values(page: BeautifulSoup) -> dict[str, Any]:
    """What a browser would send of the page's form as it stands."""
    sent: dict[str, Any] = {}
    for field in page.select("main form")[0].select("input[name], textarea[name], select[name]"):
        if field.get("type") not in ("checkbox", "radio") or field.has_attr("checked"):
            sent[str(field["name"])] = _value(field)
    return sent


def _value(field: Tag) -> str:
    if field.name == "textarea":
        return field.get_text().removeprefix("\n")
    if field.name == "select":
        chosen = field.select_one("option[selected]") or field.select_one("option")
        return str(chosen["value"]) if chosen else ""
    return str(field.get("value", ""))
