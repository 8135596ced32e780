"""One call to a DNS provider's HTTP API, through the guarded door, limited in time and bytes."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from portal import outgoing
from portal.errors import AdapterError

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
        raise unreachable(str(error) or type(error).__name__) from error


def unreachable(detail: str) -> AdapterError:
    """Nothing is known; another try may go better."""
    return AdapterError(
        "The DNS provider cannot be reached at the moment.", reason="unreachable", detail=detail
    )


def throttled(detail: str) -> AdapterError:
    """Too much was asked for; later it will be answered."""
    return AdapterError(
        "The DNS provider asks for fewer requests; the portal tries again later.",
        reason="throttled",
        detail=detail,
    )


def bad_key(detail: str) -> AdapterError:
    """The credentials are wrong or may not do this."""
    return AdapterError(
        "The DNS provider does not accept the portal's key.",
        reason="bad_key",
        permanent=True,
        detail=detail,
    )


def refused(detail: str, *, permanent: bool = True) -> AdapterError:
    """The provider said no, in its own words."""
    return AdapterError(
        "The DNS provider refused the change of the DNS record.",
        reason="refused",
        permanent=permanent,
        detail=detail,
    )


def in_use(detail: str) -> AdapterError:
    """Something that we did not see stands where we wanted to write."""
    return AdapterError(
        "There is already a DNS record under this name that the portal did not make.",
        reason="not_ours",
        permanent=True,
        detail=detail,
    )


def no_zone(detail: str) -> AdapterError:
    """The account holds no zone around the name."""
    return AdapterError(
        "The DNS provider's account does not hold this zone.",
        reason="no_zone",
        permanent=True,
        detail=detail,
    )


def _read(answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    parts, size, whole = [], 0, False
    try:
        while part := answer.read(PART):
            parts.append(part)
            size += len(part)
            if size > LONGEST or time.monotonic() > deadline:
                raise unreachable("the answer is too long or too slow")
        whole = True
    finally:
        if not whole:
            with contextlib.suppress(HTTPError, OSError):
                answer.close()
        answer.release_conn()
    return b"".join(parts)
