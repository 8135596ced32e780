"""One request to an address that somebody chose, and the whole of its answer, limited in time and
bytes: for what answers at once. A stream from a provider of models has `llm_providers.exchange`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as PoolTimeout
from urllib3.util import Timeout

from portal import outgoing
from portal.errors import AdapterError
from portal.llm_providers.deadlines import DEADLINES

SECONDS = 5.0
LONGEST = 64 * 1024
SENTENCES = {
    "unreachable": "It cannot be reached at its address.",
    "timeout": "It did not answer in time.",
    "too_large": "Its answer is too long.",
    "malformed": "Its answer cannot be read.",
}


@dataclass(frozen=True)
class Fetched:
    """An answer: its status, its type without parameters, its bytes."""

    status: int
    content_type: str
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced, NUL is left out."""
        return self.body.decode("utf-8", "replace").replace("\x00", "")


def failure(reason: str, detail: str = "") -> AdapterError:
    """What is raised here; `reason` is a key of SENTENCES."""
    return AdapterError(SENTENCES[reason], reason=reason, detail=detail)


def fetch(
    method: str,
    url: str,
    *,
    allow_private: bool,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    seconds: float = SECONDS,
    longest: int = LONGEST,
    cut: bool = False,
) -> Fetched:
    """Ask once, following no redirect, and read at most `longest` bytes within `seconds` in all.

    With `cut` the rest of a longer answer is left unread, and a compressed one is taken as it is.
    Raises AdapterError (`bad_url`, `forbidden_address`, and the reasons of SENTENCES).
    """
    outgoing.check_url(url, allow_private)
    call = outgoing.Call()
    deadline = DEADLINES.after(seconds, call.abort)
    sent = {"Accept-Encoding": "identity", "User-Agent": "portal", **(headers or {})}
    try:
        with outgoing.watched(call):
            answer = _asked_again_if_stale(
                call, lambda: _asked(method, url, sent, body, allow_private, seconds)
            )
        found = _read(answer, longest, cut=cut)
    except NewConnectionError as error:  # in urllib3 a kind of time-out
        raise failure("unreachable", str(error)) from error
    except PoolTimeout as error:
        raise failure("timeout", str(error)) from error
    except (HTTPError, OSError, ValueError) as error:
        raise failure("timeout" if deadline.passed else "unreachable", str(error)) from error
    finally:
        deadline.cancel()
        call.finish()
    if deadline.passed:  # hanging up may look like an ordinary end
        raise failure("timeout", f"not finished within {seconds:g} s")
    return found


def _asked_again_if_stale(
    call: outgoing.Call, ask: Callable[[], urllib3.BaseHTTPResponse]
) -> urllib3.BaseHTTPResponse:
    try:
        return ask()
    except (ProtocolError, BrokenPipeError):
        # a kept connection that the other side had closed meanwhile: it has seen nothing
        if not call.reused or call.aborted:
            raise
        return ask()


def _asked(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    allow_private: bool,
    seconds: float,
) -> urllib3.BaseHTTPResponse:
    return outgoing.pool(allow_private).request(
        method,
        url,
        body=body,
        headers=headers,
        timeout=Timeout(connect=seconds, read=seconds),
        retries=False,
        redirect=False,
        preload_content=False,
        decode_content=False,
    )


def _read(answer: urllib3.BaseHTTPResponse, longest: int, *, cut: bool) -> Fetched:
    """The answer; its connection is kept only if it was read to the end."""
    whole = False
    try:
        body = answer.read(longest + 1, decode_content=False)
        if len(body) > longest and not cut:
            raise failure("too_large", f"more than {longest:,} bytes")
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity" and not cut:
            raise failure("malformed", "it is compressed, which was not asked for")
        whole = len(body) <= longest
    finally:
        if not whole:
            with contextlib.suppress(HTTPError, OSError):
                answer.close()
        answer.release_conn()
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Fetched(answer.status, kind, body[:longest])
