"""The TLS edge of the local environment: ends TLS, carries the bytes to the web processes.

Which certificate a name gets is asked at each handshake, and no session is ever resumed: what is
issued, changed or withdrawn counts from the next connection on.
"""

import contextlib
import logging
import socket
import ssl
import threading
import time

from portal.tls.edge_certificates import EdgeCertificates, NoAnswer, bare_context
from portal.tls.pump import pump

logger = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT = 10.0
BACKEND_TIMEOUT = 3.0
IDLE_TIMEOUT = 300.0
STOP_POLL = 0.1
STOP_TIMEOUT = 5.0
TLS_HANDSHAKE = b"\x16"
HEAD = "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n"
CLOSING = "Connection: close\r\n\r\n"


class LocalEdge:
    """Listens on `host`:`port`; beyond `max_connections` at once, the next ones wait their turn."""

    def __init__(
        self,
        host: str,
        port: int,
        backend: tuple[str, int],
        certificate_url: str,
        token: str,
        *,
        max_connections: int = 512,
        idle_timeout: float = IDLE_TIMEOUT,
    ) -> None:
        self._listener = socket.create_server((host, port), backlog=256)
        self._listener.settimeout(STOP_POLL)
        self.port: int = self._listener.getsockname()[1]
        self._backend = backend
        self._certificates = EdgeCertificates(certificate_url, token)
        self._idle_timeout = idle_timeout
        self._free = threading.BoundedSemaphore(max_connections)
        self._open: dict[threading.Thread, socket.socket] = {}
        self._stopping = threading.Event()
        self._accepting: threading.Thread | None = None

    def start(self) -> None:
        """Accept connections in threads of this process; returns at once."""
        self._accepting = threading.Thread(target=self.serve_forever, name="edge", daemon=True)
        self._accepting.start()

    def serve_forever(self) -> None:
        """Accept connections until `stop` is called from another thread."""
        while not self._stopping.is_set():
            if self._free.acquire(timeout=STOP_POLL) and not self._accept():
                self._free.release()

    def stop(self) -> None:
        """Take no more connections, hang up on the open ones, wait for their threads."""
        self._stopping.set()
        if self._accepting is not None:
            self._accepting.join()
        self._listener.close()
        deadline = time.monotonic() + STOP_TIMEOUT
        for thread, connection in list(self._open.items()):
            with contextlib.suppress(OSError):
                # the socket's own: ssl's would take the session away from the pumping thread
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            thread.join(max(deadline - time.monotonic(), 0))
        self._certificates.close()

    def _accept(self) -> bool:
        """Start a thread for the next connection; False if there was none."""
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return False
        thread = threading.Thread(
            target=self._serve, args=(connection,), name="edge-connection", daemon=True
        )
        self._open[thread] = connection
        thread.start()
        return True

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.settimeout(HANDSHAKE_TIMEOUT)
                if connection.recv(1, socket.MSG_PEEK) in (TLS_HANDSHAKE, b""):
                    self._serve_tls(connection)
                else:
                    words = "This port speaks HTTPS; use https:// in the address.\n"
                    connection.sendall(_plain_answer("400 Bad Request", words))
        finally:
            self._open.pop(threading.current_thread(), None)
            self._free.release()

    def _serve_tls(self, connection: socket.socket) -> None:
        context = bare_context()  # one for each connection: nothing can be resumed from another
        context.sni_callback = self._choose_certificate
        client = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with client:
            self._open[threading.current_thread()] = client
            client.do_handshake()
            try:
                backend = socket.create_connection(self._backend, BACKEND_TIMEOUT)
            except OSError as error:
                logger.warning("the web process cannot be reached: %s", error)
                words = "The portal is starting or stopping. Please try again in a moment.\n"
                client.sendall(_plain_answer("502 Bad Gateway", words))
                return
            with backend:
                backend.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pump(client, backend, self._idle_timeout)

    def _choose_certificate(
        self, client: ssl.SSLObject, name: str | None, context: ssl.SSLContext
    ) -> int | None:
        """Called in the middle of the handshake; an answer other than None is the alert."""
        try:
            chosen = self._certificates.context_for(name or "")
        except NoAnswer:
            return int(ssl.ALERT_DESCRIPTION_INTERNAL_ERROR)
        if chosen is None:
            return int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
        client.context = chosen
        return None


def _plain_answer(status: str, words: str) -> bytes:
    head = HEAD.format(status=status, length=len(words)) + CLOSING
    return (head + words).encode("ascii")
