"""Every reason of a check, produced by servers that really answer (or fail) like that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from portal.custom_domains import preflight
from portal.custom_domains.ownership import Proof
from portal.custom_domains.results import Acts, CheckResult, Checks, Reasons, Verdicts
from portal.tls.probe import Probe
from tests.custom_domains.laboratory import (
    DOMAIN,
    EDGE,
    HOST,
    NOW,
    PROOF,
    RIGHT,
    ROUTE,
    TOKEN,
    Laboratory,
    good_probe,
    host,
    row,
)
from tests.custom_domains.who_answers import OPEN, OURS, THEIRS, WhoAnswers

pytestmark = pytest.mark.engine_independent
EXISTS, OWNERSHIP, ROUTING, ISSUABLE, HTTPS = Checks
VALUE = f"llm-verify={TOKEN}"
FOREIGN = "93.184.216.34"


def says(found: CheckResult, reason: Reasons, verdict: Verdicts, who: Acts) -> None:
    """The row has this reason, and is told as a whole."""
    assert (found.reason, found.verdict, found.who_acts) == (reason, verdict, who)
    assert found.sentence.endswith((".", ")"))
    assert found.fix
    assert "{" not in found.sentence + found.fix
    assert found.checked_at == NOW


def customer_acts(found: CheckResult, reason: Reasons) -> None:
    says(found, reason, Verdicts.WRONG, Acts.CUSTOMER)


def test_all_is_well(laboratory: Laboratory) -> None:
    diagnosis = laboratory.check()
    assert [one.check for one in diagnosis.results] == list(Checks)
    assert diagnosis.all_pass
    assert diagnosis.proof == Proof.STANDS
    assert row(diagnosis, OWNERSHIP).source == "ns1.weinhof.test, ns2.weinhof.test"
    assert row(diagnosis, ROUTING).found == ("edge.api.portal.test",)
    assert row(diagnosis, HTTPS).sentence.endswith("for cellar_guide.")


def test_name_does_not_exist(laboratory: Laboratory) -> None:
    diagnosis = laboratory.check(domain="nobody.test", hosts=(host("bot.nobody.test"),))
    customer_acts(row(diagnosis, EXISTS), Reasons.NAME_DOES_NOT_EXIST)
    assert row(diagnosis, ROUTING).reason == Reasons.WAITS_FOR_OTHERS
    assert diagnosis.proof == Proof.GONE


def test_lame(laboratory: Laboratory) -> None:
    diagnosis = laboratory.check(domain="deserted.test", hosts=())
    customer_acts(row(diagnosis, EXISTS), Reasons.LAME)
    assert diagnosis.proof == Proof.UNKNOWN


def test_not_delegated(laboratory: Laboratory) -> None:
    diagnosis = laboratory.check(domain="undelegated.test", hosts=())
    customer_acts(row(diagnosis, EXISTS), Reasons.NOT_DELEGATED)
    diagnosis = laboratory.check(domain="noaddress.test", hosts=())
    customer_acts(row(diagnosis, EXISTS), Reasons.NOT_DELEGATED)
    assert diagnosis.proof == Proof.UNKNOWN


def test_missing_at_the_authority(laboratory: Laboratory) -> None:
    laboratory.serve(ROUTE)
    diagnosis = laboratory.check()
    found = row(diagnosis, OWNERSHIP)
    customer_acts(found, Reasons.MISSING_AT_AUTHORITY)
    assert "name _llm-verify and the value " + VALUE in found.fix
    assert (found.expected, found.found) == (VALUE, ())
    assert diagnosis.proof == Proof.GONE
    laboratory.serve(PROOF)
    customer_acts(row(laboratory.check(), ROUTING), Reasons.MISSING_AT_AUTHORITY)


def test_nobody_is_asked_who_would_remember_that_it_is_missing(laboratory: Laboratory) -> None:
    laboratory.serve("")
    laboratory.check()
    asked = {name for name, _, _ in laboratory.recursive.asked}
    assert f"_llm-verify.{DOMAIN}" not in asked
    assert HOST not in asked


def test_still_cached(laboratory: Laboratory) -> None:
    laboratory.serve(RIGHT, cached="")
    diagnosis = laboratory.check()
    for check in (OWNERSHIP, ROUTING):
        found = row(diagnosis, check)
        says(found, Reasons.STILL_CACHED, Verdicts.WAIT, Acts.NOBODY)
        assert found.clears_at == NOW + timedelta(seconds=45)
    assert diagnosis.proof == Proof.STANDS
    laboratory.serve(RIGHT, cached=f"bot 120 A {FOREIGN}\n" + PROOF)
    found = row(laboratory.check(), ROUTING)
    assert found.clears_at == NOW + timedelta(seconds=120)
    assert found.found == (FOREIGN,)


def test_authorities_disagree(laboratory: Laboratory) -> None:
    laboratory.serve(RIGHT, first="")
    diagnosis = laboratory.check()
    for check in (OWNERSHIP, ROUTING):
        found = row(diagnosis, check)
        says(found, Reasons.AUTHORITIES_DISAGREE, Verdicts.WAIT, Acts.NOBODY)
        assert "1 of 2 name servers" in found.sentence
        assert "not yet: ns1.weinhof.test" in found.sentence
    assert diagnosis.proof == Proof.UNKNOWN


@pytest.mark.parametrize("place", ["@", "llm-verify", "_llm-verify.bot", "_llm-verify.www"])
def test_wrong_host(laboratory: Laboratory, place: str) -> None:
    laboratory.serve(f'{place} TXT "{VALUE}"\n' + ROUTE)
    found = row(laboratory.check(), OWNERSHIP)
    customer_acts(found, Reasons.WRONG_HOST)
    assert found.expected == f"_llm-verify.{DOMAIN}"
    assert found.found == ((f"{place}." + DOMAIN).removeprefix("@."),)


def test_wrong_host_of_the_route(laboratory: Laboratory) -> None:
    laboratory.serve(PROOF + "@ A 127.0.0.1\n")
    found = row(laboratory.check(), ROUTING)
    customer_acts(found, Reasons.WRONG_HOST)
    assert (found.expected, found.found) == (HOST, (DOMAIN,))


def test_doubled_label(laboratory: Laboratory) -> None:
    laboratory.serve(
        f'_llm-verify.{DOMAIN} TXT "{VALUE}"\nbot.{DOMAIN} CNAME edge.api.portal.test.\n'
    )
    diagnosis = laboratory.check()
    found = row(diagnosis, OWNERSHIP)
    customer_acts(found, Reasons.DOUBLED_LABEL)
    assert found.found == (f"_llm-verify.{DOMAIN}.{DOMAIN}",)
    assert "Change the name of the TXT record to _llm-verify and leave its value." in found.fix
    customer_acts(row(diagnosis, ROUTING), Reasons.DOUBLED_LABEL)


def test_doubled_label_in_the_target(laboratory: Laboratory) -> None:
    laboratory.serve(PROOF + "bot CNAME edge.api.portal.test\n")
    found = row(laboratory.check(), ROUTING)
    customer_acts(found, Reasons.DOUBLED_LABEL)
    assert found.found == (f"edge.api.portal.test.{DOMAIN}",)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (f'\\"{VALUE}\\"', "quotes"),
        (f"“{VALUE}”".encode().decode("latin-1"), ""),
        (f" {VALUE} ", "spaces"),
        (VALUE.replace("=", "= "), "space in it"),
        (VALUE.upper(), "capital"),
        (TOKEN, "lacks llm-verify="),
        (VALUE[:-6], "cut off"),
        (VALUE.replace("7f2c", "7fc2"), "typing mistake"),
        (f"v=spf1 {VALUE}", "something more"),
    ],
)
def test_mistyped_value(laboratory: Laboratory, value: str, fault: str) -> None:
    laboratory.serve(f'_llm-verify TXT "{value}"\n' + ROUTE)
    found = row(laboratory.check(), OWNERSHIP)
    customer_acts(found, Reasons.MISTYPED_VALUE)
    assert fault in found.sentence
    assert found.expected == VALUE
    assert len(found.found) == 1


def test_mistyped_target_and_address(laboratory: Laboratory) -> None:
    laboratory.serve(PROOF + "bot CNAME edge.api.protal.test.\n")
    customer_acts(row(laboratory.check(), ROUTING), Reasons.MISTYPED_VALUE)
    laboratory.serve(PROOF + "bot A 127.0.0.2\n")
    customer_acts(row(laboratory.check(), ROUTING), Reasons.MISTYPED_VALUE)


def test_a_text_split_into_strings_is_one(laboratory: Laboratory) -> None:
    laboratory.serve(f'_llm-verify TXT "{VALUE[:9]}" "{VALUE[9:]}"\n' + ROUTE)
    assert laboratory.check().all_pass


def test_old_record(laboratory: Laboratory) -> None:
    laboratory.serve(
        f'_llm-verify TXT "llm-verify=0123456789abcdef"\nbot A {EDGE}\nbot A {FOREIGN}\n'
    )
    diagnosis = laboratory.check()
    customer_acts(row(diagnosis, OWNERSHIP), Reasons.OLD_RECORD)
    found = row(diagnosis, ROUTING)
    customer_acts(found, Reasons.OLD_RECORD)
    assert FOREIGN in found.sentence
    assert EDGE not in found.sentence


def test_two_hundred_records_and_long_ones_fit_on_a_page(laboratory: Laboratory) -> None:
    lines = "".join(f'_llm-verify TXT "{n:03d}{"x" * 200}" "{"y" * 200}"\n' for n in range(200))
    laboratory.serve(lines + "".join(f"bot A 93.184.{n}.1\n" for n in range(200)))
    for found in laboratory.check().results:
        assert len(found.found) <= 20
        assert len(found.sentence) < 1000
        assert all(len(one) <= 300 for one in found.found)


def test_cname_at_the_apex(laboratory: Laboratory) -> None:
    laboratory.add_against_the_rules(DOMAIN, "CNAME", "edge.api.portal.test.")
    found = row(laboratory.check(hosts=(host(DOMAIN),)), ROUTING)
    customer_acts(found, Reasons.CNAME_AT_APEX)
    assert EDGE in found.fix
    assert "ALIAS" in found.fix


def test_an_address_at_the_apex_is_right(laboratory: Laboratory) -> None:
    laboratory.serve(RIGHT + f"@ A {EDGE}\n")
    found = row(laboratory.check(hosts=(host(DOMAIN),)), ROUTING)
    assert (found.verdict, found.expected) == (Verdicts.PASS, EDGE)


def test_cname_beside_others(laboratory: Laboratory) -> None:
    laboratory.add_against_the_rules(HOST, "TXT", '"v=spf1 -all"')
    found = row(laboratory.check(), ROUTING)
    customer_acts(found, Reasons.CNAME_BESIDE_OTHERS)
    assert "TXT" in found.sentence


def test_alias_loop(laboratory: Laboratory) -> None:
    laboratory.serve(PROOF + "bot CNAME shop\nshop CNAME bot\n")
    found = row(laboratory.check(), ROUTING)
    customer_acts(found, Reasons.ALIAS_LOOP)
    assert f"{HOST} → shop.{DOMAIN} → {HOST}" in found.sentence
    steps = "".join(f"hop{n} CNAME hop{n + 1}\n" for n in range(12))
    laboratory.serve(PROOF + "bot CNAME hop0\n" + steps)
    customer_acts(row(laboratory.check(), ROUTING), Reasons.ALIAS_LOOP)


def test_a_chain_of_aliases_is_followed(laboratory: Laboratory) -> None:
    laboratory.serve(PROOF + "bot CNAME shop\nshop CNAME web\nweb CNAME edge.api.portal.test.\n")
    assert laboratory.check().all_pass


def test_wildcard_only(laboratory: Laboratory) -> None:
    laboratory.serve(f'* A {FOREIGN}\n* TXT "v=spf1 -all"\n')
    diagnosis = laboratory.check()
    customer_acts(row(diagnosis, OWNERSHIP), Reasons.WILDCARD_ONLY)
    customer_acts(row(diagnosis, ROUTING), Reasons.WILDCARD_ONLY)


def test_a_wildcard_that_leads_to_us_is_right(laboratory: Laboratory) -> None:
    laboratory.serve(PROOF + "* CNAME edge.api.portal.test.\n")
    assert laboratory.check(wildcard=True).all_pass


def test_stray_aaaa(laboratory: Laboratory) -> None:
    laboratory.serve(PROOF + f"bot A {EDGE}\nbot AAAA 2001:4860:4860::8888\n")
    diagnosis = laboratory.check()
    assert row(diagnosis, ROUTING).verdict == Verdicts.PASS
    found = row(diagnosis, ISSUABLE)
    customer_acts(found, Reasons.STRAY_AAAA)
    assert "2001:4860:4860::8888" in found.sentence
    assert found.fix == "Remove the AAAA record at bot."


def test_foreign_address(laboratory: Laboratory) -> None:
    laboratory.serve(PROOF + f"bot A {FOREIGN}\n")
    found = row(laboratory.check(), ROUTING)
    customer_acts(found, Reasons.FOREIGN_ADDRESS)
    assert "CNAME with the value edge.api.portal.test" in found.fix
    laboratory.serve(PROOF + "bot CNAME www.somewhere-else.test.\n")
    found = row(laboratory.check(), ROUTING)
    customer_acts(found, Reasons.FOREIGN_ADDRESS)
    assert found.found == ("www.somewhere-else.test",)


def test_private_address(laboratory: Laboratory) -> None:
    laboratory.serve(PROOF + "bot A 192.168.178.20\n")
    customer_acts(row(laboratory.check(), ROUTING), Reasons.PRIVATE_ADDRESS)


@pytest.mark.parametrize(
    ("record", "operator"),
    [
        ("bot A 104.21.5.6\n", "Cloudflare"),
        ("bot A 151.101.1.1\n", "Fastly"),
        ("bot CNAME d111.cloudfront.net.\n", "Amazon CloudFront"),
    ],
)
def test_behind_a_proxy(laboratory: Laboratory, record: str, operator: str) -> None:
    laboratory.serve(PROOF + record)
    found = row(laboratory.check(), ROUTING)
    customer_acts(found, Reasons.BEHIND_PROXY)
    assert operator in found.sentence


def test_caa_forbids(laboratory: Laboratory) -> None:
    laboratory.serve(RIGHT + '@ CAA 0 issue "other-ca.test"\n')
    diagnosis = laboratory.check()
    found = row(diagnosis, ISSUABLE)
    customer_acts(found, Reasons.CAA_FORBIDS)
    assert found.source == DOMAIN
    assert found.found == ('0 issue "other-ca.test"',)
    assert '0 issue "ca.test"' in found.fix
    laboratory.serve(RIGHT + '@ CAA 0 issue "ca.test"\n@ CAA 0 issue "other-ca.test"\n')
    assert laboratory.check().all_pass


def test_caa_that_cannot_be_asked(laboratory: Laboratory) -> None:
    laboratory.everywhere(DOMAIN, "CAA", "servfail")
    found = row(laboratory.check(), ISSUABLE)
    assert (found.verdict, found.reason) == (Verdicts.CANNOT_TELL, Reasons.SERVFAIL)


def test_dnssec_bogus(laboratory: Laboratory) -> None:
    for name in (DOMAIN, f"_llm-verify.{DOMAIN}", HOST):
        laboratory.recursive.faults[name, "*"] = "bogus"
    diagnosis = laboratory.check()
    customer_acts(row(diagnosis, EXISTS), Reasons.DNSSEC_BOGUS)
    assert row(diagnosis, OWNERSHIP).verdict == Verdicts.CANNOT_TELL
    customer_acts(row(diagnosis, ROUTING), Reasons.DNSSEC_BOGUS)


@pytest.mark.parametrize(
    ("fault", "reason", "who"),
    [
        ("servfail", Reasons.SERVFAIL, Acts.CUSTOMER),
        ("refused", Reasons.REFUSED, Acts.CUSTOMER),
        ("drop", Reasons.TIMEOUT, Acts.NOBODY),
        ("lame", Reasons.LAME, Acts.CUSTOMER),
        ("garbage", Reasons.TIMEOUT, Acts.NOBODY),
        ("tc_always", Reasons.CANNOT_TELL, Acts.NOBODY),
    ],
)
def test_servers_that_say_neither_yes_nor_no(
    laboratory: Laboratory, fault: str, reason: Reasons, who: Acts
) -> None:
    laboratory.everywhere(f"_llm-verify.{DOMAIN}", "*", fault)
    laboratory.everywhere(HOST, "A", fault)
    diagnosis = laboratory.check(is_verified=True)
    for check in (OWNERSHIP, ROUTING):
        says(row(diagnosis, check), reason, Verdicts.CANNOT_TELL, who)
    assert diagnosis.proof == Proof.UNKNOWN


def test_one_broken_server_of_two_is_no_trouble(laboratory: Laboratory) -> None:
    laboratory.first.faults[f"_llm-verify.{DOMAIN}", "*"] = "drop"
    laboratory.first.faults[HOST, "*"] = "servfail"
    assert laboratory.check().all_pass


def test_a_whole_zone_that_does_not_answer(laboratory: Laboratory) -> None:
    laboratory.everywhere("*", "*", "drop")
    laboratory.recursive.faults[DOMAIN, "*"] = "servfail"
    diagnosis = laboratory.check(is_verified=True)
    assert {one.verdict for one in diagnosis.results} <= {Verdicts.CANNOT_TELL, Verdicts.WAIT}
    assert diagnosis.proof == Proof.UNKNOWN


def test_cannot_tell_where_our_own_resolver_fails(laboratory: Laboratory) -> None:
    laboratory.recursive.faults["*", "*"] = "drop"
    diagnosis = laboratory.check(is_verified=True)
    says(row(diagnosis, EXISTS), Reasons.CANNOT_TELL, Verdicts.CANNOT_TELL, Acts.NOBODY)
    assert diagnosis.proof == Proof.UNKNOWN


def test_a_public_resolver_that_still_has_the_proof_keeps_it(laboratory: Laboratory) -> None:
    laboratory.serve(ROUTE, cached=RIGHT)
    assert laboratory.check(is_verified=True).proof == Proof.UNKNOWN
    laboratory.serve(ROUTE)
    assert laboratory.check(is_verified=True).proof == Proof.GONE


def test_taken(laboratory: Laboratory) -> None:
    until = NOW + timedelta(days=3)
    diagnosis = laboratory.check(held_by_other=True, holder_wins_until=until)
    found = row(diagnosis, OWNERSHIP)
    says(found, Reasons.TAKEN, Verdicts.WAIT, Acts.NOBODY)
    assert found.clears_at == until
    assert diagnosis.proof == Proof.STANDS
    assert row(diagnosis, HTTPS).sentence == "Starts when check 2 passes."


def test_reserved(laboratory: Laboratory) -> None:
    diagnosis = laboratory.check(refused="Everybody may register names under co.test.")
    customer_acts(row(diagnosis, EXISTS), Reasons.RESERVED)


def test_editor_refused(laboratory: Laboratory) -> None:
    assert laboratory.check(editor_trouble="The name server refused the key.").all_pass
    laboratory.serve(ROUTE)
    diagnosis = laboratory.check(editor_trouble="The name server refused the key.")
    says(row(diagnosis, OWNERSHIP), Reasons.EDITOR_REFUSED, Verdicts.WRONG, Acts.PLATFORM)


def test_a_parent_of_the_account_is_proof(laboratory: Laboratory) -> None:
    laboratory.serve(ROUTE)
    diagnosis = laboratory.check(covered_by="example.test")
    assert row(diagnosis, OWNERSHIP).verdict == Verdicts.PASS
    assert diagnosis.proof == Proof.STANDS


def test_the_limit_of_the_authority(laboratory: Laboratory) -> None:
    until, words = NOW + timedelta(hours=5), "too many certificates (50) already issued"
    limited = host(
        certificate_reason="ca_rate_limit",
        certificate_detail=words,
        next_certificate_attempt_at=until,
    )
    found = row(laboratory.check(hosts=(limited,)), ISSUABLE)
    says(found, Reasons.CA_RATE_LIMIT, Verdicts.WAIT, Acts.NOBODY)
    assert (found.clears_at, found.detail) == (until, words)
    over = replace(limited, next_certificate_attempt_at=NOW - timedelta(seconds=1))
    assert row(laboratory.check(hosts=(over,)), ISSUABLE).verdict == Verdicts.PASS


def no_certificate(*_: Any, **__: Any) -> Probe:
    return Probe(False, "no_certificate", "There is no certificate yet.")


def test_the_words_of_the_authority(laboratory: Laboratory) -> None:
    laboratory.probe = no_certificate
    words = "urn:ietf:params:acme:error:unauthorized: 403 from 203.0.113.9"
    refused = host(
        certificate_reason="challenge_wrong", certificate_detail=words, is_certificate_refused=True
    )
    found = row(laboratory.check(hosts=(refused,)), HTTPS)
    says(found, Reasons.CA_REFUSED, Verdicts.WRONG, Acts.PLATFORM)
    assert found.detail == words


def test_not_deployed(laboratory: Laboratory) -> None:
    found = row(laboratory.check(hosts=(host(is_wanted_open=False),)), HTTPS)
    says(found, Reasons.NOT_DEPLOYED, Verdicts.WAIT, Acts.NOBODY)
    assert len(laboratory.check(hosts=()).results) == len(Checks)


def test_not_yet_served(laboratory: Laboratory) -> None:
    issued = host(chain_pem="-----BEGIN", serial="cd34")
    found = row(laboratory.check(hosts=(issued,)), HTTPS)
    says(found, Reasons.NOT_YET_SERVED, Verdicts.WAIT, Acts.NOBODY)
    assert "older certificate" in found.sentence
    laboratory.probe = no_certificate
    found = row(laboratory.check(hosts=(issued,)), HTTPS)
    assert "There is no certificate yet." in found.sentence
    assert row(laboratory.check(), HTTPS).sentence == "Starts when the certificate is there."


def test_clock_skew(laboratory: Laboratory) -> None:
    def from_the_future(*_: Any, **__: Any) -> Probe:
        return Probe(False, "not_yet_valid", "The certificate is not valid before tomorrow.")

    laboratory.probe = from_the_future
    found = row(laboratory.check(hosts=(host(chain_pem="-----BEGIN"),)), HTTPS)
    says(found, Reasons.CLOCK_SKEW, Verdicts.WRONG, Acts.PLATFORM)


def test_other_client(laboratory: Laboratory, who_answers: WhoAnswers) -> None:
    laboratory.https_port, laboratory.roots_pem = who_answers(THEIRS)
    found = row(laboratory.check(hosts=(OPEN,)), HTTPS)
    says(found, Reasons.OTHER_CLIENT, Verdicts.WRONG, Acts.PLATFORM)
    assert (found.expected, found.found) == (OURS, (THEIRS,))
    assert THEIRS in found.sentence
    assert laboratory.check(hosts=(OPEN,)).proof == Proof.STANDS


@contextmanager
def web_server(status: int, body: str = "", location: str = "") -> Iterator[int]:
    """Port 80 of the edge, as it happens to answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *arguments: Any) -> None: ...

    server = HTTPServer((EDGE, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_port_80_closed(laboratory: Laboratory) -> None:
    with web_server(200) as port:
        laboratory.http_port = port
    found = row(laboratory.check(needs_port_80=True), ISSUABLE)
    says(found, Reasons.PORT_80_CLOSED, Verdicts.WRONG, Acts.PLATFORM)
    assert EDGE in found.sentence


def test_challenge_redirected(laboratory: Laboratory) -> None:
    with web_server(301, location="https://www.weinhof.test/") as port:
        laboratory.http_port = port
        found = row(laboratory.check(needs_port_80=True), ISSUABLE)
    customer_acts(found, Reasons.CHALLENGE_REDIRECTED)
    assert "https://www.weinhof.test/" in found.sentence
    with web_server(200, "a parking page") as port:
        laboratory.http_port = port
        found = row(laboratory.check(needs_port_80=True), ISSUABLE)
    customer_acts(found, Reasons.CHALLENGE_REDIRECTED)


def test_port_80_that_answers_as_we_do(laboratory: Laboratory) -> None:
    secret = "a secret of the laboratory"
    content = preflight.content(secret, HOST, preflight.token(secret, HOST))
    with web_server(200, content or "") as port:
        laboratory.http_port = port
        found = row(laboratory.check(needs_port_80=True), ISSUABLE)
    assert found.verdict == Verdicts.PASS
    assert "port 80 answers" in found.sentence


def test_addresses_that_strangers_choose_are_not_visited_inside(laboratory: Laboratory) -> None:
    visited: list[str] = []

    def probe(name: str, address: str, *_: Any, **__: Any) -> Probe:
        visited.append(address)
        return good_probe()

    laboratory.probe, laboratory.may_visit_private = probe, False
    with web_server(500) as port:
        laboratory.http_port = port
        diagnosis = laboratory.check(needs_port_80=True)
    assert row(diagnosis, ISSUABLE).verdict == Verdicts.PASS
    assert visited == [EDGE]  # our own edge, not where the name leads


def test_a_delegated_challenge_needs_no_port_80(laboratory: Laboratory) -> None:
    laboratory.serve(RIGHT + "_acme-challenge.bot CNAME k3p9.acme.api.portal.test.\n")
    changes = {"delegation": True, "challenge_label": "k3p9", "needs_port_80": True}
    found = row(laboratory.check(**changes), ISSUABLE)
    assert found.verdict == Verdicts.PASS
    assert "delegated" in found.sentence


def test_everything_is_over_in_time(laboratory: Laboratory) -> None:
    laboratory.everywhere("*", "TXT", ("delay", 0.2))
    laboratory.everywhere("*", "A", ("delay", 0.2))
    assert laboratory.check().all_pass
