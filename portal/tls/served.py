"""What a server shows in a TLS handshake, fetched without trusting it; no data is sent.

Or what keeps it from showing anything: closed, silent, plain http, no certificate for this name.
"""

import contextlib
import socket
import ssl
import time
from typing import Literal

from cryptography import x509

NoCertificate = Literal[
    "closed",
    "timeout",
    "unreachable",
    "plain_http",
    "not_tls",
    "old_protocol",
    "no_certificate",
    "handshake_failed",
]

PLAIN_HTTP_TIMEOUT = 0.5
NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
NO_CERTIFICATE = frozenset(
    {"TLSV1_UNRECOGNIZED_NAME", "TLSV1_ALERT_UNRECOGNIZED_NAME", "TLSV1_ALERT_INTERNAL_ERROR"}
)
OLD_PROTOCOL = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"})


class NotServed(Exception):
    """There is no certificate to judge; `reason` is one of the probe's codes."""

    def __init__(self, reason: NoCertificate, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: NoCertificate = reason
        self.detail = detail


def served_chain(
    name: str, address: str, port: int, timeout: float
) -> tuple[x509.Certificate, ...]:
    """The certificates as sent, the server's own first; raises NotServed. `timeout` in seconds."""
    deadline = time.monotonic() + timeout
    try:
        with socket.create_connection((address, port), timeout) as connection:
            connection.settimeout(max(deadline - time.monotonic(), 0.05))
            return _handshake(connection, name)
    except ssl.SSLError as error:
        raise _refusal(error, name, address, port) from error
    except TimeoutError as error:
        silence = f"no handshake within {timeout:g} s"
        raise NotServed(_instead("timeout", name, address, port), silence) from error
    except ConnectionRefusedError as error:
        raise NotServed("closed", str(error)) from error
    except OSError as error:
        words = str(error) or type(error).__name__
        raise NotServed(_instead("unreachable", name, address, port), words) from error


def _handshake(connection: socket.socket, name: str) -> tuple[x509.Certificate, ...]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # judged afterwards, so that a bad one can be described
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    with context.wrap_socket(connection, server_hostname=name) as secured:
        return tuple(x509.load_der_x509_certificate(der) for der in _chain_of(secured))


def _chain_of(secured: ssl.SSLSocket) -> list[bytes]:
    """Every certificate sent; public in Python 3.13, on the inner object before that."""
    if hasattr(secured, "get_unverified_chain"):
        chain: list[bytes] = secured.get_unverified_chain()
        return chain
    inner = secured._sslobj  # type: ignore[attr-defined]
    return [ssl.PEM_cert_to_DER_cert(sent.public_bytes()) for sent in inner.get_unverified_chain()]


def _refusal(error: ssl.SSLError, name: str, address: str, port: int) -> NotServed:
    detail = error.reason or str(error)
    if detail in NO_CERTIFICATE:
        return NotServed("no_certificate", detail)
    if detail in OLD_PROTOCOL:
        return NotServed("old_protocol", detail)
    reason: NoCertificate = "not_tls" if detail in NOT_TLS else "handshake_failed"
    return NotServed(_instead(reason, name, address, port), detail)


def _instead(reason: NoCertificate, name: str, address: str, port: int) -> NoCertificate:
    return "plain_http" if _speaks_plain_http(name, address, port) else reason


def _speaks_plain_http(name: str, address: str, port: int) -> bool:
    question = f"HEAD / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode("ascii")
    with (
        contextlib.suppress(OSError),
        socket.create_connection((address, port), PLAIN_HTTP_TIMEOUT) as connection,
    ):
        connection.sendall(question)
        return connection.recv(5) == b"HTTP/"
    return False
