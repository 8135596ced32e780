"""Every order that an authority made is in our ledger, whenever a worker dies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import current_app
from sqlalchemy import func, select

from portal.certificates import orders
from portal.certificates.authority_limits import ORDER
from portal.certificates.jobs import look_after_certificate
from portal.certificates.models import CertificateAttempt, CertificateOrder
from portal.database import db, utc_now
from portal.errors import AdapterError
from portal.llm_clients.deployment import jobs
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.settings import Settings
from portal.tls import Issuance, NotOrdered
from tests.outside import FakeOutside, issuance
from tests.people import MakeClient

NAME = "chat.example.com"
AWAY = AdapterError("The authority is away.", reason="ca_unavailable")


class Killed(BaseException):
    """The process is gone; nothing is caught, nothing is stored."""


class Authority(FakeOutside):
    """Counts the orders it makes, and can do what `then` says right after one."""

    made: int = 0
    then: Callable[[], Issuance] | None = None

    def request(self, names: tuple[str, ...], now: datetime, state: dict[str, object]) -> Issuance:
        if not state:
            self.made += 1
            if self.then is not None:
                return self.then()
            return issuance("waiting", now=now, state={"o": 1}, has_ordered=True)
        return issuance("issued", now=now, serial=f"serial-{self.made}")


def kills() -> Issuance:
    raise Killed


def breaks_off() -> Issuance:
    raise AWAY


def counted() -> int:
    db.session.rollback()
    query = select(func.count()).where(CertificateAttempt.kind == ORDER)
    return int(db.session.scalar(query) or 0)


class Run:
    """The deployment of one client, step by step, by the code of the jobs."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        client = db.session.scalars(select(LLMClient)).unique().one()
        jobs.begin(client, Deployment.Kinds.DEPLOY, utc_now(), None)
        db.session.commit()
        self.now = utc_now()

    @property
    def row(self) -> Deployment:
        return db.session.scalars(select(Deployment)).unique().one()

    def step(self) -> None:
        """Take, act, store; a day later than the last, so that nothing is leased or waits."""
        self.now += timedelta(days=1)
        hand = jobs.take(self.row.id, self.now)
        assert hand is not None
        result = jobs.act(hand, self.authority.adapters(), self.now)
        jobs.store(hand, result, self.now)

    def until(self, step: str) -> None:
        while self.row.step != step:
            self.step()


@pytest.fixture
def run(make_client: MakeClient, with_acme: Settings) -> Run:
    make_client("guide")
    found = Run(Authority())
    found.until("request_certificate")
    return found


def test_a_deployment_that_dies_after_each_order_is_counted_each_time(run: Run) -> None:
    run.authority.then = kills
    for orders_made in (1, 2, 3):
        with pytest.raises(Killed):
            run.step()
        assert counted() == run.authority.made == orders_made
    run.authority.then = None
    run.until("see_certificate")
    assert counted() == run.authority.made == 4


def test_what_the_answer_completes_is_counted_once(run: Run) -> None:
    run.until("see_certificate")
    assert counted() == run.authority.made == 1


def test_an_answer_that_is_lost_on_its_way_is_counted(run: Run) -> None:
    run.authority.then = breaks_off
    run.step()
    assert counted() == 1


def test_an_authority_that_is_away_for_days_uses_up_nothing(run: Run) -> None:
    def is_away() -> Issuance:
        raise NotOrdered.because_of(AWAY)

    run.authority.then = is_away
    for _ in range(5):
        run.step()
    assert run.row.reason == "ca_unavailable"
    assert counted() == 0


def test_a_refusal_to_make_an_order_is_none(run: Run) -> None:
    run.authority.then = lambda: issuance(
        "waiting", now=run.now, message="No.", reason="caa_forbids", refused=True
    )
    run.step()
    assert counted() == 0


def test_hosts_are_ordered_for_one_after_the_other(run: Run) -> None:
    client = run.row.llm_client
    host = LLMClientHost(
        hostname="second.example.com", account_id=client.account_id, llm_client=client
    )
    host.state = LLMClientHost.States.CURRENT
    db.session.add(host)
    db.session.commit()
    run.authority.then = kills
    with pytest.raises(Killed):
        run.step()
    assert counted() == 1
    run.authority.then = None
    run.until("see_certificate")
    assert counted() == run.authority.made == 3


@pytest.fixture
def authority(fake: FakeOutside) -> Authority:
    """What the jobs of this test find outside."""
    found = Authority()
    current_app.extensions["portal_adapters"] = found.adapters()
    return found


def test_a_renewal_that_dies_is_counted(
    account_id: int, now: datetime, authority: Authority, with_acme: Settings
) -> None:
    old = issuance("issued", now=now - timedelta(days=80), serial="old")
    orders.record_for(account_id, NAME, "", old, now)
    order = db.session.scalars(select(CertificateOrder)).one()
    order.renew_at = order.next_attempt_at = now - timedelta(seconds=1)
    db.session.commit()
    number, authority.then = order.id, kills
    with pytest.raises(Killed):
        look_after_certificate(number)
    assert counted() == authority.made == 1
