"""One request to a provider and its answer, limited in time and bytes, open to be broken off."""

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, Self

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    ReadTimeoutError,
)

from portal import outgoing
from portal.errors import AdapterError
from portal.llm_providers import ProviderError, ProviderReason
from portal.llm_providers.deadlines import DEADLINES, Deadline
from portal.llm_providers.failures import failure, status_failure

LARGEST_ANSWER = 2 * 1024 * 1024
LARGEST_ERROR = 64 * 1024
PIECE = 64 * 1024
LAST_WAIT = 0.05
HUNG_UP = (
    HTTPException,
    ConnectionResetError,
    BrokenPipeError,
    ConnectionAbortedError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
)


@dataclass(frozen=True)
class Limits:
    """Seconds: to connect, without a byte, and for the whole exchange."""

    connect: float
    read: float
    total: float


class Exchange:
    """A POST whose answer is read in pieces; a context manager, `abort` from any thread."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        content: Mapping[str, Any],
        *,
        limits: Limits,
        secret: str,
        allow_private: bool,
    ) -> None:
        parsed = outgoing.parsed_url(url)
        self._target = parsed.request_uri
        self._place = outgoing.place_of(parsed, allow_private)
        self._headers = headers
        self._body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
        self._limits = limits
        self._secret = secret
        self._call = outgoing.Call()
        self._deadline: Deadline | None = None
        self._response: urllib3.BaseHTTPResponse | None = None
        self._connection: HTTPConnection | None = None
        self._aborted = threading.Event()

    def __enter__(self) -> Self:
        """Send the request and wait for the head of a good answer; raises ProviderError."""
        self._deadline = DEADLINES.after(self._limits.total, self._call.abort)
        try:
            self._response = self._send()
            self._check_status(self._response)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        """Let go: a fully read connection goes back to the pool, any other is closed."""
        if self._deadline is not None:
            self._deadline.cancel()
        response, self._response = self._response, None
        connection, self._connection = self._connection, None
        self._call.finish()
        if connection is None or response is None:
            return
        serves_on = response.closed and connection.sock is not None and not self._call.aborted
        response.close()
        if serves_on:
            outgoing.KEPT.give_back(self._place, connection)
        else:
            connection.close()

    @property
    def content_type(self) -> str:
        """Of the answer, in lower case and without parameters."""
        head = self._response.headers.get("Content-Type", "") if self._response else ""
        return head.partition(";")[0].strip().lower()

    @property
    def aborted(self) -> bool:
        """Whether our own side broke it off."""
        return self._aborted.is_set()

    def abort(self) -> None:
        """Hang up at once, whatever the reading thread waits for."""
        self._aborted.set()
        self._call.abort()

    def pieces(self, largest: int = LARGEST_ANSWER) -> Iterator[bytes]:
        """The body as it comes; raises ProviderError, `too_large` beyond `largest` bytes."""
        read = 0
        while piece := self._piece():
            read += len(piece)
            if read > largest:
                raise self.failure("too_large", f"more than {largest} bytes")
            yield piece

    def drain(self) -> None:
        """Read a stream to its end if that is at hand, so that its connection serves again."""
        if self._response is None or self._response.closed:
            return
        self._call.limit_wait(LAST_WAIT)
        with contextlib.suppress(ProviderError):
            self._piece()

    def failure(self, reason: ProviderReason, detail: str) -> ProviderError:
        """An error of this exchange, without its key."""
        return failure(reason, detail, secret=self._secret)

    def _piece(self) -> bytes:
        if self._response is None:
            return b""
        try:
            piece = self._response.read1(PIECE, decode_content=True)
        except (HTTPError, OSError, ValueError) as error:
            raise self._broken_off(error) from error
        if not piece and self._out_of_time():  # hanging up may look like an ordinary end
            raise self._unfinished()
        return piece

    def _send(self) -> urllib3.BaseHTTPResponse:
        try:
            with outgoing.watched(self._call):
                return self._post_again_if_stale()
        except AdapterError as error:
            raise failure(
                "unreachable",
                f"{error.reason}: {error.detail}",
                secret=self._secret,
                permanent=True,
            ) from error
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise self._unanswered(error) from error

    def _post_again_if_stale(self) -> urllib3.BaseHTTPResponse:
        try:
            return self._post(fresh=False)
        except HUNG_UP:
            # a kept connection that the provider had closed meanwhile: it has seen nothing
            if not self._call.reused or self._call.aborted:
                raise
            return self._post(fresh=True)

    def _post(self, *, fresh: bool) -> urllib3.BaseHTTPResponse:
        connection = outgoing.KEPT.take(self._place, fresh=fresh)
        try:
            connection.timeout = self._limits.connect
            connection.request(
                "POST",
                self._target,
                self._body,
                self._headers,
                preload_content=False,
                decode_content=False,
            )
            connection.timeout = self._limits.read
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return response

    def _check_status(self, response: urllib3.BaseHTTPResponse) -> None:
        if response.status == 200:
            return
        body = b""
        for piece in self.pieces(largest=PIECE + LARGEST_ERROR):
            body += piece
            if len(body) >= LARGEST_ERROR:
                break
        now = datetime.now(UTC)
        raise status_failure(response.status, response.headers, body, secret=self._secret, now=now)

    def _unanswered(self, error: Exception) -> ProviderError:
        if self._out_of_time():
            return self.failure("timeout", f"no answer within {self._limits.total:g} s in all")
        if isinstance(error, TimeoutError):
            return self.failure("timeout", f"no answer within {self._limits.read:g} s")
        if isinstance(error, HUNG_UP):
            return self.failure("unavailable", f"hung up before answering: {error}")
        if isinstance(error, ConnectTimeoutError):
            # urllib3 begins with the connection's own representation
            return self.failure("unreachable", str(error).partition("): ")[2] or str(error))
        return self.failure("unreachable", f"{type(error).__name__}: {error}")

    def _broken_off(self, error: Exception) -> ProviderError:
        if self._out_of_time():
            return self._unfinished()
        if isinstance(error, ReadTimeoutError):
            return self.failure("timeout", f"silent for {self._limits.read:g} s in its answer")
        if isinstance(error, (DecodeError, ValueError)):
            return self.failure("malformed", str(error))
        return self.failure("cut", f"{type(error).__name__}: {error}")

    def _unfinished(self) -> ProviderError:
        return self.failure("timeout", f"not finished within {self._limits.total:g} s")

    def _out_of_time(self) -> bool:
        return self._deadline is not None and self._deadline.passed
