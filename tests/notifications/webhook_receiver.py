"""A program that takes webhooks and checks their signatures by itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.http_double import HttpDouble


class Receiver(HttpDouble):
    """Knows the secret and believes nothing that is not signed with it."""

    def __init__(self) -> None:
        super().__init__()
        self.secret = ""
        self.answers: Callable[[], tuple[int, bytes]] = lambda: (204, b"")
        self.taken: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.authorizations: list[str | None] = []
        self.refused = 0

    def reply(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str, bytes]:
        """What it is told to answer, once the signature is right."""
        if not self.is_signed(headers, body):
            self.refused += 1
            return 401, "text/plain", b"not signed"
        self.ids.append(headers["webhook-id"])
        self.authorizations.append(headers.get("authorization"))
        status, answer = self.answers()
        if status < 300:
            self.taken.append(json.loads(body))
        return status, "text/plain", answer

    def is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """By the words of the specification, with nothing of the portal's."""
        stamp = headers["webhook-timestamp"]
        if abs(time.time() - int(stamp)) > 300:
            return False
        key = base64.b64decode(self.secret.split("_", 1)[1])
        content = b".".join([headers["webhook-id"].encode(), stamp.encode(), body])
        expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in headers["webhook-signature"].split(" ")
