"""Names and hosts: the mission's examples word for word, and the rules of RFC 1034 around them."""

from __future__ import annotations

import re

import pytest

from portal.llm_clients import hostnames
from portal.llm_clients.hostnames import Mode

pytestmark = pytest.mark.engine_independent


@pytest.mark.parametrize(
    ("name", "username", "is_admin", "expected"),
    [
        ("example", "adminuser", True, "example"),
        ("example", "user123", False, "example.user123"),
        ("My_Bot", "adminuser", True, "my-bot"),
        ("apiKey", "adminuser", True, "apikey"),
        ("a__b--c_", "adminuser", True, "a-b-c"),
        ("Museum Guide", "Jean.Luc", False, "museum-guide.jeanluc"),
        ("x" * 80, "adminuser", True, "x" * 63),
        ("x" * 80, "user123", False, "x" * 55 + ".user123"),
        ("ab" * 27 + "-tail", "user1234", False, "ab" * 27 + ".user1234"),
        ("___", "adminuser", True, ""),
        ("", "adminuser", True, ""),
    ],
)
def test_a_name_becomes_what_rfc_1034_allows(
    name: str, username: str, is_admin: bool, expected: str
) -> None:
    assert hostnames.rfc1034_compliant_name(name, username, is_admin) == expected


@pytest.mark.parametrize("length", range(1, 140, 7))
def test_whatever_the_lengths_the_result_is_a_legal_name(length: int) -> None:
    for username in ("u", "user-name", "n" * 61):
        found = hostnames.rfc1034_compliant_name("Ab-_" * length, username, False)
        assert len(found) <= 63
        assert found.count(".") <= 1
        for label in found.split("."):
            assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", label)
            assert "--" not in label


def test_default_hosts_are_those_of_the_examples() -> None:
    number = "1234-5678-9012"
    assert (
        hostnames.base_default_host(number, "alpha.api.example.com")
        == ".1234-5678-9012.alpha.api.example.com"
    )
    assert (
        hostnames.default_host("example", number, "alpha.api.example.com")
        == "example.1234-5678-9012.alpha.api.example.com"
    )
    assert (
        hostnames.default_host("example", number, "api.local.example.com")
        == "example.1234-5678-9012.api.local.example.com"
    )


def test_a_custom_host_is_name_and_domain() -> None:
    assert hostnames.custom_host("example", "example.com") == "example.example.com"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://alpha.platform.example.com/workbench/x/", Mode.SANDBOX),
        ("https://example.1234-5678-9012.alpha.api.example.com", Mode.DEFAULT),
        ("EXAMPLE.1234-5678-9012.alpha.api.example.com.:9357", Mode.DEFAULT),
        ("https://example.example.com/prompt/", Mode.CUSTOM),
        ("https://example.org", Mode.UNKNOWN),
        ("", Mode.UNKNOWN),
        ("http://[broken", Mode.UNKNOWN),
    ],
)
def test_the_mode_is_told_by_the_host(url: str, expected: Mode) -> None:
    found = hostnames.mode_of(
        url,
        sandbox_host="alpha.platform.example.com",
        custom=("example.example.com",),
        default="example.1234-5678-9012.alpha.api.example.com",
    )
    assert found == expected


def test_the_form_says_what_became_of_a_name() -> None:
    assert hostnames.what_changed("example", "example") == ""
    said = hostnames.what_changed("Museum_Guide", "museum-guide")
    assert said == "Capitals became small letters. The _ became a -."
    assert "cut" in hostnames.what_changed("x" * 80, "x" * 63)
