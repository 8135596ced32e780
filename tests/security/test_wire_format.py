"""X7: requests whose end could be read in two ways are refused (RFC 9112 section 6.3); TLS."""

from __future__ import annotations

import ssl

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from portal.tls.edge_certificates import bare_context

pytestmark = pytest.mark.engine_independent

BODY = b"0\r\n\r\n"


def read(*headers: bytes) -> object:
    """What the web server makes of a request."""
    lines = [b"POST /api/v1/chat HTTP/1.1", b"Host: bot.example", *headers, b"", BODY]
    return next(RequestParser(Config(), iter([b"\r\n".join(lines)]), ("127.0.0.1", 1)))


def test_x7_an_ordinary_request_is_read() -> None:
    assert read(b"Content-Length: 5")
    assert read(b"Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    "headers",
    [
        (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        (b"Content-Length: 5", b"Content-Length: 6"),
        (b"Content-Length: +5",),
        (b"Content-Length: 5, 5",),
        (b"Transfer-Encoding : chunked",),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        (b"X-Folded: a", b" b"),
        (b"X-Bare: a\nX-Injected: b\r",),
    ],
)
def test_x7_a_request_with_two_ends_is_refused(headers: tuple[bytes, ...]) -> None:
    with pytest.raises(ParseException):
        read(*headers)


def test_our_edge_speaks_tls_1_2_and_1_3_with_forward_secrecy_only() -> None:
    context = bare_context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.maximum_version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.MAXIMUM_SUPPORTED)
    for cipher in context.get_ciphers():
        assert cipher["name"].startswith(("TLS_", "ECDHE-", "DHE-")), cipher["name"]
        assert cipher["strength_bits"] >= 128
