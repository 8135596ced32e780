"""However a domain is typed, there is one name, or a sentence that says why there is none."""

from __future__ import annotations

import pytest

from portal.custom_domains import names
from portal.custom_domains.names import NameReasons, NameRefused, Premises

pytestmark = pytest.mark.engine_independent

PREMISES = Premises(("platform.example.com", "api.example.com"))
OPEN = Premises(("localhost", "api.local.localhost"), allows_reserved=True)

SPELLINGS = [
    "shop.weinhof.de",
    "SHOP.Weinhof.DE",
    "shop.weinhof.de.",
    " shop.weinhof.de\t",
    "\u200bshop.weinhof.de\u00a0",
    "https://shop.weinhof.de",
    "HTTP://shop.weinhof.de:8080/path?query#part",
    "//shop.weinhof.de/",
    "https://anna:secret@shop.weinhof.de/",
    "anna@shop.weinhof.de",
    "shop.weinhof.de/chat",
    "shop.weinhof.de\\chat",
    "shop.weinhof.de:443",
    "ｓｈｏｐ．ｗｅｉｎｈｏｆ．ｄｅ",
    "ｈｔｔｐｓ：／／ｓｈｏｐ．ｗｅｉｎｈｏｆ．ｄｅ／",
    "shop。weinhof。de",
    "shop｡weinhof.de",
    "shop%2Eweinhof.de",
    "%73hop.weinhof.de",
    "..shop.weinhof.de",
]


@pytest.mark.parametrize("typed", SPELLINGS)
def test_every_spelling_is_the_same_name(typed: str) -> None:
    assert names.checked_name(typed, PREMISES) == "shop.weinhof.de"


@pytest.mark.parametrize(
    ("typed", "name", "shown"),
    [
        ("Bücher.de", "xn--bcher-kva.de", "bücher.de"),
        ("XN--BCHER-KVA.de", "xn--bcher-kva.de", "bücher.de"),
        ("bu\u0308cher.de", "xn--bcher-kva.de", "bücher.de"),
        ("straße.de", "xn--strae-oqa.de", "straße.de"),
        ("日本語カタカナ.jp", "xn--lcka3d1b3769bcvb2w6i.jp", "日本語カタカナ.jp"),
    ],
)
def test_other_scripts_have_two_forms(typed: str, name: str, shown: str) -> None:
    assert names.canonical_name(typed) == name
    assert names.unicode_form(name) == shown
    assert names.canonical_name(shown) == name


REFUSED = [
    ("", NameReasons.EMPTY),
    ("https://", NameReasons.EMPTY),
    ("weinhof", NameReasons.SINGLE_LABEL),
    ("a..weinhof.de", NameReasons.NOT_A_NAME),
    ("-a.weinhof.de", NameReasons.NOT_A_NAME),
    ("a-.weinhof.de", NameReasons.NOT_A_NAME),
    ("wein hof.de", NameReasons.NOT_A_NAME),
    ("wein\x00hof.de", NameReasons.NOT_A_NAME),
    ("☃.weinhof.de", NameReasons.NOT_A_NAME),
    ("evil℀.com", NameReasons.NOT_A_NAME),
    ("xn--zz--zz.com", NameReasons.NOT_A_NAME),
    ("a" * 64 + ".de", NameReasons.TOO_LONG),
    ("abcdefghi." * 20 + "de", NameReasons.TOO_LONG),
    ("x" * 5_000, NameReasons.TOO_LONG),
    ("co.uk", NameReasons.PUBLIC_SUFFIX),
    ("github.io", NameReasons.PUBLIC_SUFFIX),
    ("192.0.2.1", NameReasons.ADDRESS),
    ("127.1", NameReasons.ADDRESS),
    ("0x7f.0.0.0x1", NameReasons.ADDRESS),
    ("2001:db8::1", NameReasons.ADDRESS),
    ("https://[2001:db8::1]:443/", NameReasons.ADDRESS),
    ("*.weinhof.de", NameReasons.WILDCARD),
    ("_llm-verify.weinhof.de", NameReasons.UNDERSCORE),
    ("pаypal.com", NameReasons.MIXED_SCRIPTS),
    ("xn--pypal-4ve.com", NameReasons.MIXED_SCRIPTS),
    ("platform.example.com", NameReasons.OURS),
    ("API.example.com.", NameReasons.OURS),
    ("bot.1234-5678-9012.api.example.com", NameReasons.OURS),
    ("example.com", NameReasons.OURS),
    ("api.example.com.evil.de", NameReasons.OURS),
    ("x.api.example.com.evil.de", NameReasons.OURS),
    ("weinhof.test", NameReasons.RESERVED),
    ("shop.localhost", NameReasons.RESERVED),
    ("weinhof.example", NameReasons.RESERVED),
    ("printer.local", NameReasons.RESERVED),
    ("shop.example.org", NameReasons.RESERVED),
    ("1.0.10.in-addr.arpa", NameReasons.RESERVED),
]


@pytest.mark.parametrize(("typed", "reason"), REFUSED)
def test_what_nobody_can_use_is_refused_with_a_sentence(typed: str, reason: NameReasons) -> None:
    with pytest.raises(NameRefused) as refused:
        names.checked_name(typed, PREMISES)
    assert refused.value.reason == reason
    assert refused.value.public_message.endswith(".")
    assert "{" not in refused.value.public_message


def test_every_refusal_has_an_example() -> None:
    assert {reason for _, reason in REFUSED} == set(NameReasons)


@pytest.mark.parametrize("name", ["weinhof.test", "shop.localhost", "weinhof.example"])
def test_a_local_portal_takes_reserved_names(name: str) -> None:
    assert names.checked_name(name, OPEN) == name


def test_a_name_that_only_begins_or_ends_like_ours_is_not_ours() -> None:
    for name in ("myapi.example.com.de", "help.weinhof.de", "xapi.example.comx.de"):
        assert names.checked_name(name, PREMISES) == name


@pytest.mark.parametrize("name", ["foo.github.io", "weinhof.co.uk", "weinhof.de"])
def test_what_was_registered_is_an_apex(name: str) -> None:
    assert names.is_apex(name)
    assert not names.is_apex(f"www.{name}")
    assert names.registrable_domain(f"a.b.{name}") == name


def test_the_names_above_end_at_what_was_registered() -> None:
    assert names.parents("a.b.weinhof.co.uk") == ("weinhof.co.uk", "b.weinhof.co.uk")
    assert names.parents("weinhof.co.uk") == ()


def test_a_look_alike_is_named() -> None:
    warning = names.look_alike_warning("xn--80ak6aa92e.com")
    assert "аррӏе.com" in warning
    assert "apple.com" in warning
    assert "xn--80ak6aa92e.com" in warning
    assert "looks like" not in names.look_alike_warning("xn--bcher-kva.de")
    assert names.look_alike_warning("weinhof.de") == ""
