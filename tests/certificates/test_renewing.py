"""Certificates are renewed in time by jobs, while the old one is served."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from portal.certificates import ordering, orders, preflight, renewing, store
from portal.certificates.jobs import due_certificates, look_after_certificate
from portal.certificates.models import Certificate, CertificateOrder
from portal.database import db, utc_now
from portal.dns.manual import ManualZoneEditor
from portal.errors import AdapterError
from portal.settings import Settings
from portal.tls import Renewal
from tests.outside import FakeOutside, issuance

NAME = "chat.example.com"
DAY = timedelta(days=1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def certificate(days: int = 90, serial: str = "1") -> Certificate:
    return Certificate(serial=serial, not_before=NOON, not_after=NOON + days * DAY)


class TestWhen:
    @pytest.mark.parametrize("days", [90, 45, 6])
    def test_with_a_third_of_its_life_left_or_a_little_more(self, days: int) -> None:
        times = {
            renewing.renewal_time(certificate(days, str(serial)), Renewal()) for serial in range(20)
        }
        left = [(NOON + days * DAY - at) / (days * DAY) for at in times]
        assert min(left) >= 1 / 3
        assert max(left) <= 1 / 3 + 0.02
        assert len(times) == 20

    def test_the_moment_of_one_certificate_does_not_move(self) -> None:
        assert len({renewing.renewal_time(certificate(), Renewal()) for _ in range(5)}) == 1

    def test_as_the_authority_suggests_but_on_neither_the_first_day_nor_the_last(self) -> None:
        suggested = NOON + 10 * DAY
        assert renewing.renewal_time(certificate(), Renewal(suggested)) == suggested
        at_once = renewing.renewal_time(certificate(), Renewal(NOON - DAY))
        assert at_once == NOON + DAY
        late = renewing.renewal_time(certificate(), Renewal(NOON + 90 * DAY))
        assert late == NOON + 89 * DAY

    def test_the_authority_is_asked_again_within_a_day(self) -> None:
        planned = NOON + 50 * DAY
        for hours, expected in ((6, 6), (48, 24), (0, 1 / 6)):
            wish = Renewal(planned, NOON + timedelta(hours=hours))
            found = renewing.next_look(planned, wish, NOON)
            assert found == NOON + timedelta(hours=expected)
        assert renewing.next_look(planned, Renewal(), NOON) == planned


class Life:
    """A certificate of one name, its authority, and a clock that can be moved."""

    def __init__(self, fake: FakeOutside, account_id: int, travel: time_machine.Traveller) -> None:
        self.fake, self.account_id, self.travel = fake, account_id, travel
        self.now = NOON
        travel.move_to(NOON, tick=False)
        orders.take(account_id, NAME, NAME, "deployment-1", NOON)
        first = issuance("issued", now=NOON, serial="first")
        orders.record_for(account_id, NAME, "deployment-1", first, NOON)
        db.session.commit()

    @property
    def order(self) -> CertificateOrder:
        db.session.expire_all()
        return db.session.query(CertificateOrder).one()

    @property
    def served(self) -> str:
        found = store.good_certificate(NAME, self.now)
        return found.serial if found else ""

    def pass_until(self, when: datetime, most: int = 400) -> int:
        """Let the clock run from one due look to the next; how many there were."""
        looks = 0
        while self.order.next_attempt_at is not None and self.order.next_attempt_at <= when:
            self.now = max(self.now, self.order.next_attempt_at)
            self.travel.move_to(self.now, tick=False)
            for ring in list(due_certificates(utc_now())):
                look_after_certificate(*ring.arguments)
            looks += 1
            assert looks < most
        self.now = when
        self.travel.move_to(when, tick=False)
        return looks


@pytest.fixture
def life(fake: FakeOutside, account_id: int, time_machine: time_machine.TimeMachineFixture) -> Life:
    return Life(fake, account_id, time_machine)


def test_a_certificate_is_replaced_in_its_last_third(life: Life) -> None:
    looks = life.pass_until(NOON + 55 * DAY)
    assert (looks, life.served) == (1, "first")
    assert life.order.renew_at is not None
    life.pass_until(NOON + 61 * DAY)
    assert life.served == "serial-1"
    assert life.fake.revoked == []


def test_the_authority_may_want_it_sooner(life: Life) -> None:
    life.fake.renewal_wish = Renewal(NOON + 20 * DAY, NOON + timedelta(hours=6))
    life.pass_until(NOON + 2 * DAY)
    assert life.served == "first"
    life.fake.renewal_wish = Renewal(NOON + 2 * DAY, NOON + timedelta(hours=6))
    life.pass_until(NOON + 2 * DAY + timedelta(hours=12))
    assert life.served == "serial-1"


@pytest.mark.long
def test_an_authority_that_never_has_enough_gets_no_more_than_one_a_day(life: Life) -> None:
    life.fake.renewal_wish = Renewal(NOON, NOON)
    life.pass_until(NOON + 4 * DAY, most=2000)
    assert 3 <= life.fake.issued <= 5


def test_a_refusal_keeps_the_old_one_and_comes_back_later(life: Life) -> None:
    refused = issuance(
        "waiting", now=NOON, reason="caa_forbids", message="No.", refused=True, detail="urn: no"
    )
    life.fake.issuances += [refused] * 3
    life.pass_until(NOON + DAY)
    assert life.order.renew_at is not None
    life.pass_until(life.order.renew_at + timedelta(minutes=100))
    order = life.order
    assert life.served == "first"
    assert (order.failures, order.reason, order.detail) == (3, "caa_forbids", "urn: no")
    assert order.next_attempt_at is not None
    life.pass_until(NOON + 61 * DAY)
    assert (life.served, life.order.failures, life.order.reason) == ("serial-1", 0, "")


@pytest.mark.long
def test_an_authority_that_is_away_for_twenty_days(life: Life) -> None:
    def away(names: object, now: object, state: object) -> None:
        raise AdapterError("It does not answer.", reason="ca_unavailable", detail="refused")

    life.fake.request = away  # type: ignore[method-assign, assignment]
    looks = life.pass_until(NOON + 80 * DAY, most=1000)
    assert life.served == "first"
    assert 20 * 20 < looks < 25 * 30
    assert life.order.reason == "ca_unavailable"
    del life.fake.request
    life.pass_until(NOON + 80 * DAY + timedelta(hours=2))
    assert life.served == "serial-1"


def test_an_order_goes_on_step_by_step(life: Life) -> None:
    state = {"order": "https://ca.example/1"}
    life.fake.issuances.append(
        issuance("waiting", now=NOON, message="Looking.", state=state, retry_in_seconds=3)
    )
    life.pass_until(NOON + 61 * DAY)
    assert life.served == "serial-1"
    assert life.fake.calls.count(f"certificate {NAME}") == 2


def test_what_nobody_is_served_with_is_left_alone(life: Life) -> None:
    store.stop_serving(NAME)
    db.session.commit()
    assert life.pass_until(NOON + 80 * DAY) == 1
    assert life.fake.calls == []
    assert life.order.next_attempt_at is None


def test_no_authority_is_asked_while_the_domain_is_wrong(
    life: Life, request: pytest.FixtureRequest
) -> None:
    objects = preflight.preflight(lambda host, at: "The record leads elsewhere.")
    request.addfinalizer(lambda: preflight._checks.remove(objects))
    life.pass_until(NOON + 61 * DAY)
    assert life.fake.calls == []
    assert life.order.message == "The record leads elsewhere."


def test_rooms_above_say_who_edits_a_zone(database: None, request: pytest.FixtureRequest) -> None:
    editor = ManualZoneEditor()
    find = ordering.zone_editor_of(lambda host: editor if host == NAME else None)
    request.addfinalizer(lambda: ordering._editors.remove(find))
    assert ordering.customer_editor(NAME) is editor
    assert ordering.customer_editor("other.example.com") is None


def test_nothing_is_renewed_twice(life: Life) -> None:
    life.pass_until(NOON + 59 * DAY)
    rows = [ring.arguments for ring in due_certificates(NOON + 61 * DAY)]
    life.travel.move_to(NOON + 61 * DAY, tick=False)
    for _ in range(5):
        for arguments in rows:
            look_after_certificate(*arguments)
    assert life.fake.issued == 1


def test_a_limit_of_the_authority_lets_renewals_use_the_reserve(
    life: Life, with_acme: Settings, saved: Callable[[], None]
) -> None:
    life.pass_until(NOON + 58 * DAY)
    for _ in range(4):
        store_note(life)
    saved()
    life.pass_until(NOON + 61 * DAY)
    assert life.served == "serial-1"


def store_note(life: Life) -> None:
    orders.ledger.note("issued", life.account_id, NAME, NOON + 58 * DAY)
