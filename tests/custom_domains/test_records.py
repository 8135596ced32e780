"""What has to be entered where, and how a person who never saw DNS is told."""

from __future__ import annotations

from dataclasses import replace

import dns.zone
import pytest

from portal.custom_domains import records
from portal.custom_domains.records import Purposes, Target, Wish

pytestmark = pytest.mark.engine_independent

TARGET = Target(
    edge_host="edge.api.portal.de",
    edge_addresses=("203.0.113.7", "203.0.113.6", "2001:db8::7"),
    acme_domain="acme.api.portal.de",
)
WISH = Wish("weinhof.de", "7f2c", hosts=("bot.weinhof.de", "guide.weinhof.de"), zone="weinhof.de")


def needed(wish: Wish) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.name, one.type, one.values) for one in records.needed_records(wish, TARGET)]


def test_a_domain_needs_a_proof_and_each_host_its_way() -> None:
    assert needed(WISH) == [
        ("_llm-verify.weinhof.de", "TXT", ("llm-verify=7f2c",)),
        ("bot.weinhof.de", "CNAME", ("edge.api.portal.de",)),
        ("guide.weinhof.de", "CNAME", ("edge.api.portal.de",)),
    ]


def test_at_the_top_of_a_zone_there_are_addresses() -> None:
    wish = replace(WISH, hosts=("bot.weinhof.de",), zone="bot.weinhof.de")
    found = records.needed_records(wish, TARGET)[1:]
    assert [(one.type, one.values) for one in found] == [
        ("A", ("203.0.113.6", "203.0.113.7")),
        ("AAAA", ("2001:db8::7",)),
    ]
    assert "ALIAS" in found[0].remark
    assert "edge.api.portal.de" in found[0].remark


def test_a_registered_domain_is_taken_for_the_top_while_the_zone_is_unknown() -> None:
    assert records.is_zone_top("weinhof.co.uk", "")
    assert not records.is_zone_top("bot.weinhof.co.uk", "")
    assert not records.is_zone_top("weinhof.co.uk", "co.uk")


def test_a_wildcard_replaces_the_records_of_the_hosts() -> None:
    assert needed(replace(WISH, wildcard=True)) == [
        ("_llm-verify.weinhof.de", "TXT", ("llm-verify=7f2c",)),
        ("*.weinhof.de", "CNAME", ("edge.api.portal.de",)),
    ]


def test_challenges_are_delegated_where_that_is_wished() -> None:
    wish = replace(WISH, delegation=True, challenge_label="k3p9", hosts=("bot.weinhof.de",))
    target = ("k3p9.acme.api.portal.de",)
    assert needed(wish)[-1] == ("_acme-challenge.bot.weinhof.de", "CNAME", target)
    assert not records.needed_records(wish, TARGET)[-1].is_required
    wildcard = replace(wish, wildcard=True)
    assert needed(wildcard)[-1] == ("_acme-challenge.weinhof.de", "CNAME", target)


def test_a_parent_of_the_same_account_is_proof_enough() -> None:
    first = records.needed_records(replace(WISH, covered_by="weinhof.de"), TARGET)[0]
    assert first.purpose == Purposes.OWNERSHIP
    assert not first.is_required


def test_under_somebody_elses_domain_the_proof_is_published_there() -> None:
    wish = replace(WISH, domain="shop.weinhof.de", ownership_at="weinhof.de")
    assert needed(wish)[0][0] == "_llm-verify.weinhof.de"


@pytest.mark.parametrize(
    ("name", "zone", "label"),
    [
        ("_llm-verify.weinhof.de", "weinhof.de", "_llm-verify"),
        ("bot.shop.weinhof.de", "weinhof.de", "bot.shop"),
        ("weinhof.de", "weinhof.de", "@"),
        ("*.weinhof.de", "weinhof.de", "*"),
        ("bot.weinhof.de", "", "bot.weinhof.de"),
        ("bot.meinweinhof.de", "weinhof.de", "bot.meinweinhof.de"),
    ],
)
def test_the_short_label_is_what_a_panel_asks_for(name: str, zone: str, label: str) -> None:
    assert records.short_label(name, zone) == label


def test_the_zone_file_is_read_by_a_name_server() -> None:
    wish = replace(WISH, hosts=("bot.weinhof.de", "weinhof.de"), delegation=True)
    wish = replace(wish, challenge_label="k3p9")
    text = records.zone_file(records.needed_records(wish, TARGET), wish.domain)
    head = "@ 300 IN SOA ns hostmaster 1 2 3 4 5\n@ 300 IN NS ns\nns 300 IN A 192.0.2.1\n"
    zone = dns.zone.from_text(head + text, "weinhof.de.", relativize=False)
    read = zone.find_rrset("_llm-verify.weinhof.de.", "TXT")
    assert read.ttl == 300
    assert read[0].strings == (b"llm-verify=7f2c",)
    assert len(zone.find_rrset("weinhof.de.", "A")) == 2
    assert zone.find_rrset("_acme-challenge.bot.weinhof.de.", "CNAME")


def test_the_mail_says_both_names_and_the_value() -> None:
    found = records.needed_records(WISH, TARGET)
    text = records.mail_text(found, WISH.domain, WISH.zone, "https://portal.de/domain-setup/x")
    assert "Short name: _llm-verify\n" in text
    assert "Full name: _llm-verify.weinhof.de\n" in text
    assert "Value: llm-verify=7f2c\n" in text
    assert "https://portal.de/domain-setup/x" in text
    assert "It has to stay" in text
