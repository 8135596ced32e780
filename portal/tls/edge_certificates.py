"""The edge's certificates: asked for at each handshake, the last answer kept for bad times."""

import hashlib
import logging
import ssl
import tempfile
import threading
from collections import OrderedDict
from urllib.parse import urlencode

import urllib3

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 1.0
READ_TIMEOUT = 3.0
KEPT_NAMES = 4096
LONGEST_NAME = 253


class NoAnswer(Exception):
    """Whoever hands out certificates cannot be asked, and never said anything about this name."""


class EdgeCertificates:
    """Asks `url?server_name=NAME` with `token` as bearer: 200 with PEM chain and key, or 204."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
        # once more where a kept connection had just been closed by the other side
        retries = urllib3.Retry(1, redirect=0, status=0, backoff_factor=0)
        self._pool = urllib3.PoolManager(1, maxsize=32, timeout=timeout, retries=retries)
        self._known: OrderedDict[str, tuple[str, ssl.SSLContext | None]] = OrderedDict()
        self._lock = threading.Lock()

    def context_for(self, name: str) -> ssl.SSLContext | None:
        """What to serve for `name` now; None: nothing, by decision. Raises NoAnswer."""
        name = name.lower()
        if not name or len(name) > LONGEST_NAME:
            return None
        try:
            pem = self._ask(name)
            return self._remember(name, pem)
        except (urllib3.exceptions.HTTPError, ssl.SSLError, OSError) as error:
            logger.warning("no certificate answer for %s: %s", name, error)
        return self._last_known(name)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()

    def _ask(self, name: str) -> bytes:
        query = urlencode({"server_name": name})
        answer = self._pool.request("GET", f"{self._url}?{query}", headers=self._headers)
        if answer.status in (204, 404):
            return b""
        if answer.status != 200:
            raise urllib3.exceptions.HTTPError(f"status {answer.status}")
        return answer.data

    def _remember(self, name: str, pem: bytes) -> ssl.SSLContext | None:
        digest = hashlib.sha256(pem).hexdigest()
        known = self._known.get(name)
        context = known[1] if known and known[0] == digest else server_context(pem)
        with self._lock:
            self._known[name] = (digest, context)
            self._known.move_to_end(name)
            while len(self._known) > KEPT_NAMES:
                self._known.popitem(last=False)
        return context

    def _last_known(self, name: str) -> ssl.SSLContext | None:
        known = self._known.get(name)
        if known is None:
            raise NoAnswer(name)
        return known[1]


def server_context(pem: bytes = b"") -> ssl.SSLContext | None:
    """A context with this chain and key; None for no PEM. Raises ssl.SSLError where they misfit."""
    if not pem:
        return None
    context = bare_context()
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # 0600; ssl reads files only
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def bare_context() -> ssl.SSLContext:
    """A context without a certificate and without resumption: every visit is a full handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    return context
