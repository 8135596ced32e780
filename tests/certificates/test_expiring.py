"""Nobody is surprised by a certificate that runs out: mails and a banner, once for each mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.mails import Mail
from portal.certificates import expiring, orders, store
from portal.certificates.models import Certificate, CertificateOrder
from portal.certificates.page import certificate_view, issuer_words
from portal.database import db
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.notifications.certificate_jobs import certificates_that_run_out, tell_of_expiry
from portal.settings import Settings
from tests.outside import FakeOutside, issuance
from tests.people import MakeClient

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NAME = "chat.example.com"
Tls = LLMClient.TlsCertificateIssuanceStatusChoices


class Clock:
    """Moves the time, and lets the sweep and its job look."""

    def __init__(self, travel: time_machine.Traveller) -> None:
        self._travel = travel

    def at(self, when: datetime, times: int = 1) -> list[str]:
        """The subjects of the mails written then."""
        self._travel.move_to(when, tick=False)
        before = len(mails())
        for ring in list(certificates_that_run_out(when)):
            for _ in range(times):
                tell_of_expiry(*ring.arguments)
        return [mail.subject for mail in mails()[before:]]


def mails() -> list[Mail]:
    return list(db.session.scalars(select(Mail).order_by(Mail.id)))


@pytest.fixture
def clock(time_machine: time_machine.TimeMachineFixture) -> Iterator[Clock]:
    time_machine.move_to(NOON, tick=False)
    return Clock(time_machine)


def keep(account_id: int, name: str = NAME, days: int = 90, serial: str = "1") -> Certificate:
    issued = issuance("issued", now=NOON, serial=serial, not_after=NOON + days * DAY)
    kept = store.keep(account_id, name, issued)
    db.session.commit()
    return kept


def test_at_fourteen_seven_and_three_days_and_when_it_is_over(
    account_id: int, clock: Clock
) -> None:
    keep(account_id)
    told = {left: clock.at(NOON + (90 - left) * DAY, times=5) for left in range(20, -2, -1)}
    assert {left: subjects for left, subjects in told.items() if subjects} == {
        14: [f"The certificate of {NAME} expires in 14 days"],
        7: [f"The certificate of {NAME} expires in 7 days"],
        3: [f"The certificate of {NAME} expires in 3 days"],
        0: [f"The certificate of {NAME} has expired"],
    }


def test_the_mail_says_why_and_when_the_next_attempt_is(account_id: int, clock: Clock) -> None:
    keep(account_id)
    order = CertificateOrder(account_id=account_id, name=NAME, reason="caa_forbids")
    order.message = "A CAA record forbids it."
    order.next_attempt_at = NOON + 77 * DAY
    db.session.add(order)
    db.session.commit()
    clock.at(NOON + 76 * DAY)
    [mail] = mails()
    assert "A CAA record forbids it." in mail.text
    assert "17 May 2027, 12:00 UTC" in mail.text
    assert NAME in mail.text


def test_nobody_is_told_of_one_that_was_replaced(account_id: int, clock: Clock) -> None:
    keep(account_id)
    keep(account_id, days=180, serial="2")
    assert clock.at(NOON + 80 * DAY) == []
    assert list(certificates_that_run_out(NOON + 80 * DAY)) == []
    assert clock.at(NOON + 91 * DAY) == []
    assert [one.serial for one in db.session.scalars(select(Certificate))] == ["2"]


def test_nobody_is_told_of_one_that_is_not_served(account_id: int, clock: Clock) -> None:
    keep(account_id)
    store.revoke(NAME, NOON)
    db.session.commit()
    assert clock.at(NOON + 80 * DAY) == []


def test_a_certificate_of_six_days_is_told_of_on_its_last(account_id: int, clock: Clock) -> None:
    keep(account_id, days=6)
    told = [clock.at(NOON + hours * timedelta(hours=1)) for hours in range(0, 143, 4)]
    assert [one for one in told if one] == [[f"The certificate of {NAME} expires in 1 day"]]


def test_a_banner_shows_what_is_near_its_end(account_id: int, clock: Clock) -> None:
    keep(account_id)
    keep(account_id, "*.a.test")
    store.share(account_id, "one.a.test", "*.a.test")
    db.session.commit()
    assert expiring.warnings(account_id, NOON + 70 * DAY) == []
    shown = expiring.warnings(account_id, NOON + 84 * DAY)
    assert {one.name: one.hosts for one in shown} == {NAME: (NAME,), "*.a.test": ("one.a.test",)}
    assert {one.days_left for one in shown} == {6}


def test_a_client_has_failed_only_when_its_certificate_is_over(
    account_id: int, clock: Clock, fake: FakeOutside,
    make_client: MakeClient, stored: Callable[[str], LLMClient],
) -> None:  # fmt: skip
    """A renewal that fails for twenty days harms nobody before; a late one heals."""
    hashed_id = make_client("guide")
    llm_client = stored(hashed_id)
    llm_client.deployed = True
    llm_client.tls_certificate_issuance_status = Tls.ISSUED
    host = db.session.scalars(select(LLMClientHost)).one().hostname
    keep(account_id, host)
    for left in (20, 10, 3, 1):
        clock.at(NOON + (90 - left) * DAY)
        assert stored(hashed_id).tls_certificate_issuance_status == Tls.ISSUED
    clock.at(NOON + 91 * DAY)
    assert stored(hashed_id).tls_certificate_issuance_status == Tls.FAILED

    late = issuance("issued", now=NOON + 91 * DAY, serial="2")
    orders.take(account_id, host, host, "x", NOON + 91 * DAY)
    orders.record_for(account_id, host, "x", late, NOON + 91 * DAY)
    db.session.commit()
    assert stored(hashed_id).tls_certificate_issuance_status == Tls.ISSUED


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CN=R11,O=Let's Encrypt,C=US", "Let's Encrypt R11"),
        ("CN=Portal local root", "Portal local root"),
        ("C=US", "C=US"),
        ("", ""),
        ("not a name", "not a name"),
    ],
)
def test_an_issuer_in_words(name: str, words: str) -> None:
    assert issuer_words(name) == words


class TestPage:
    """What a page shows of a host's certificate."""

    def test_one_that_is_served(self, account_id: int, with_acme: Settings) -> None:
        keep(account_id, serial="ab12")
        shown = certificate_view(account_id, NAME, "Issued", NOON + DAY)
        assert (shown.status.word, shown.serial, shown.is_shared) == ("Issued", "ab12", False)
        assert shown.sentence == "Issued by Fake, valid until 30 May 2027."
        assert [one.key for one in shown.limits][:2] == ["orders", "registrable"]

    def test_one_that_was_refused(self, account_id: int, with_acme: Settings) -> None:
        orders.take(account_id, NAME, NAME, "x", NOON)
        said = issuance(
            "waiting", now=NOON, message="Port 80 is closed.", reason="port_80_closed",
            detail="urn:ietf:params:acme:error:connection: refused", refused=True,
        )  # fmt: skip
        orders.record_for(account_id, NAME, "x", said, NOON)
        db.session.flush()
        shown = certificate_view(account_id, NAME, "Requested", NOON)
        assert (shown.sentence, shown.reason) == ("Port 80 is closed.", "port_80_closed")
        assert shown.detail == said.detail
        assert shown.next_attempt_at == NOON + timedelta(minutes=1)
        assert {one.key: one.used for one in shown.limits}["failures"] == 1

    def test_one_that_is_shared(self, account_id: int, with_acme: Settings) -> None:
        keep(account_id, "*.a.test")
        store.share(account_id, "one.a.test", "*.a.test")
        db.session.flush()
        shown = certificate_view(account_id, "one.a.test", "Issued", NOON + DAY)
        assert (shown.name, shown.is_shared) == ("*.a.test", True)
