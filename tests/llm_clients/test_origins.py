"""What may be written as an allowed origin, and how it is kept."""

from __future__ import annotations

import pytest

from portal.llm_clients.origins import NoOrigin, normalised

pytestmark = pytest.mark.engine_independent


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("  HTTPS://WWW.Example.COM/ ", "https://www.example.com"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://example.com.", "https://example.com"),
        ("https://[2001:DB8::1]:444", "https://[2001:db8::1]:444"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://shop.localhost:80", "http://shop.localhost"),
        ("http://127.0.0.1:5173", "http://127.0.0.1:5173"),
        ("http://[::1]:5173", "http://[::1]:5173"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(typed: str, kept: str) -> None:
    assert normalised(typed) == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("http://www.example.com", "must start with https://"),
        ("https://*.example.com", "wildcard"),
        ("*", "wildcard"),
        ("www.example.com", "scheme and host"),
        ("https://", "scheme and host"),
        ("https://example.com/shop", "without a path"),
        ("https://example.com?x", "without a path"),
        ("https://example.com#x", "without a path"),
        ("https://me:secret@example.com", "scheme and host"),
        ("https://@example.com", "scheme and host"),
        ("ftp://example.com", "scheme and host"),
        ("javascript:alert(1)", "scheme and host"),
        ("null", "scheme and host"),
        ("https://example.com:99999", "not an origin"),
        ("https://exa mple.com", "not an origin"),
        ("https://example.com;script-src", "not an origin"),
        ("https://example.com'unsafe", "not an origin"),
        ("https://[::1", "not an origin"),
        ("https://-.example", "not an origin"),
        ("https://" + "a" * 70 + ".example", "not an origin"),
        ("https://" + "a." * 200 + "example", "longer than 300"),
        ("https://example.com\x00", "not an origin"),
        ("https://\ud800.example", "not an origin"),
    ],
)
def test_what_is_no_origin_is_told(typed: str, why: str) -> None:
    with pytest.raises(NoOrigin) as caught:
        normalised(typed)
    assert why in caught.value.public_message
