"""One call to a DNS provider's HTTP API, through the guarded door, limited in time and bytes."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from portal import outgoing
from portal.dns.refusals import PROVIDER

SECONDS = 10.0
LONGEST = 2 * 1024 * 1024
PART = 64 * 1024


@dataclass(frozen=True)
class Reply:
    """What came back, whatever its status."""

    status: int
    body: bytes


def call(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    allow_private: bool = False,
    seconds: float = SECONDS,
) -> Reply:
    """Ask once, following no redirect; raises AdapterError (`unreachable`, `bad_url`, ...).

    `allow_private` also allows plain HTTP, for a service on the own network.
    """
    outgoing.check_url(url, allow_private)
    deadline = time.monotonic() + seconds
    try:
        answer = outgoing.pool(allow_private).request(
            method,
            url,
            body=body,
            headers={"User-Agent": "portal", "Accept-Encoding": "identity", **headers},
            timeout=Timeout(connect=seconds, read=seconds),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        return Reply(answer.status, _read(answer, deadline))
    except (HTTPError, OSError) as error:
        raise PROVIDER.unreachable(str(error) or type(error).__name__) from error


def _read(answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    parts, size, whole = [], 0, False
    try:
        while part := answer.read(PART):
            parts.append(part)
            size += len(part)
            if size > LONGEST or time.monotonic() > deadline:
                raise PROVIDER.unreachable("the answer is too long or too slow")
        whole = True
    finally:
        if not whole:
            with contextlib.suppress(HTTPError, OSError):
                answer.close()
        answer.release_conn()
    return b"".join(parts)
