"""Browsers are told apart by what people call them."""

from __future__ import annotations

import pytest

from portal.people.devices import device_of

pytestmark = pytest.mark.engine_independent
MOZILLA = "Mozilla/5.0"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            f"{MOZILLA} (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/141.0.0.0 Safari/537.36",
            "Chrome 141 on Windows",
        ),
        (
            f"{MOZILLA} (Windows NT 10.0) {WEBKIT} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
            "Edge 141 on Windows",
        ),
        (
            f"{MOZILLA} (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
            "Firefox 143 on Linux",
        ),
        (
            f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
            "Gecko) Version/18.5 Safari/605.1.15",
            "Safari 18 on macOS",
        ),
        (
            f"{MOZILLA} (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Safari 18 on iPhone",
        ),
        (
            f"{MOZILLA} (Linux; Android 16) {WEBKIT} Chrome/141.0.0.0 Mobile Safari/537.36",
            "Chrome 141 on Android",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown browser"),
        ("x" * 255, "x" * 60),
    ],
)
def test_a_browser_has_the_name_that_people_know(agent: str, name: str) -> None:
    assert device_of(agent) == name
