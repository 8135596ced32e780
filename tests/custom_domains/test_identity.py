"""Asking a host whom it answers for, and what the fifth row makes of the answer."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from portal.custom_domains.identity import ask_identity
from portal.custom_domains.issuance import check_https
from portal.custom_domains.observations import HostSeen, Identity, Look
from portal.custom_domains.results import CheckResult, Checks, Reasons, Verdicts
from portal.dns import Delegation
from portal.tls.local import LocalIssuer
from portal.tls.probe import Probe
from tests.custom_domains.laboratory import EDGE, HOST, Laboratory, good_probe, row
from tests.custom_domains.who_answers import OPEN, OURS, THEIRS, WhoAnswers, asked_as

pytestmark = pytest.mark.engine_independent


def ask(port: int, roots_pem: str | None, *, inside: bool = True) -> Identity:
    return ask_identity(HOST, EDGE, port, lambda: roots_pem, allow_private_addresses=inside)


def test_the_id_is_asked_for_by_the_hosts_name(who_answers: WhoAnswers) -> None:
    assert ask(*who_answers(f"{OURS}\n")) == Identity(OURS)
    assert asked_as == [HOST]


@pytest.mark.parametrize(
    ("said", "status", "detail"),
    [
        ("", 404, "It answers 404."),
        ("", 503, "It answers 503."),
        (OURS, 302, "It answers 302."),
        ("<html>a parking page", 200, "It answers with something that is no client's id."),
        (OURS * 100_000, 200, "It answers with something that is no client's id."),
    ],
)
def test_any_other_answer_is_no_id(
    who_answers: WhoAnswers, said: str, status: int, detail: str
) -> None:
    assert ask(*who_answers(said, status)) == Identity(detail=detail)
    assert len(asked_as) == 1


def test_a_certificate_for_another_name_or_of_another_authority_is_not_believed(
    who_answers: WhoAnswers, tmp_path: Path
) -> None:
    port, roots_pem = who_answers(OURS, name="other.weinhof.test")
    assert "mismatch" in ask(port, roots_pem).detail
    port, _ = who_answers(OURS)
    foreign = LocalIssuer(tmp_path / "foreign").roots_pem()
    for roots in (foreign, None, "no roots at all"):
        found = ask(port, roots)
        assert (found.public_id, bool(found.detail)) == ("", True)
    assert asked_as == []


def test_an_answer_that_never_ends_is_left(who_answers: WhoAnswers) -> None:
    port, roots_pem = who_answers(OURS * 5, pause=0.2)
    started = time.monotonic()
    assert ask(port, roots_pem).detail == "No whole answer within 3 s."
    assert time.monotonic() - started < 4


def test_nobody_there_and_addresses_inside(who_answers: WhoAnswers) -> None:
    port, roots_pem = who_answers(OURS)
    found = ask(port, roots_pem, inside=False)
    assert found == Identity(detail=f"{EDGE} has the address {EDGE}")
    assert asked_as == []
    assert ask(1, roots_pem).detail.startswith(f"No connection to {EDGE}: ")


NOTHING = Look(HOST, "A")
SEEN = HostSeen(
    OPEN, Delegation("found", "weinhof.test"), NOTHING, NOTHING, NOTHING, visited=good_probe()
)


def judged(seen: HostSeen, question: Laboratory) -> CheckResult:
    return check_https(question.question, seen, ())


@pytest.mark.parametrize(
    ("identity", "verdict", "reason", "sentence"),
    [
        (Identity(), Verdicts.PASS, None, "with our certificate for cellar_guide."),
        (Identity(OURS), Verdicts.PASS, None, "and says that it is cellar_guide."),
        (
            Identity(detail="It answers 502."),
            Verdicts.PASS,
            None,
            "for cellar_guide. We could not ask it which client it is.",
        ),
        (Identity(THEIRS), Verdicts.WRONG, Reasons.OTHER_CLIENT, f"({THEIRS}) answers there."),
    ],
)
def test_what_the_row_makes_of_it(
    laboratory: Laboratory,
    identity: Identity,
    verdict: Verdicts,
    reason: Reasons | None,
    sentence: str,
) -> None:
    found = judged(replace(SEEN, identity=identity), laboratory)
    assert (found.verdict, found.reason, found.detail) == (verdict, reason, identity.detail)
    assert found.sentence.endswith(sentence)


def test_a_wrong_certificate_is_told_before_a_wrong_client(laboratory: Laboratory) -> None:
    expired = Probe(False, "expired", "The certificate expired.")
    host = replace(OPEN, chain_pem="-----BEGIN")
    found = judged(replace(SEEN, host=host, visited=expired, identity=Identity(THEIRS)), laboratory)
    assert found.reason == Reasons.NOT_YET_SERVED


def test_a_round_asks_only_hosts_that_are_open_and_stay_open(
    laboratory: Laboratory, who_answers: WhoAnswers
) -> None:
    laboratory.https_port, laboratory.roots_pem = who_answers(OURS)
    for other in (replace(OPEN, is_open=False), replace(OPEN, is_wanted_open=False)):
        laboratory.check(hosts=(other,))
    assert asked_as == []
    found = row(laboratory.check(hosts=(OPEN,)), Checks.HTTPS)
    assert found.sentence.endswith("says that it is cellar_guide.")
    assert asked_as == [HOST]


def test_silence_demotes_nobody(laboratory: Laboratory, who_answers: WhoAnswers) -> None:
    laboratory.https_port, laboratory.roots_pem = who_answers("", 502)
    diagnosis = laboratory.check(hosts=(OPEN,), is_verified=True)
    assert diagnosis.all_pass
    assert row(diagnosis, Checks.HTTPS).detail == "It answers 502."
