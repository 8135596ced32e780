"""An authority that is away, full, picky, slow or wrong: clients keep what they have, and wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from portal.certificates.models import Certificate, CertificateAttempt, CertificateOrder
from portal.database import db, utc_now
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from tests.edge_portal import EdgePortal, MakeEdgePortal
from tests.faulty_pebble import problem, soon
from tests.people import MakeClient, People
from tests.planes import Planes

pytestmark = pytest.mark.long

Tls = LLMClient.TlsCertificateIssuanceStatusChoices


class Deploying:
    """One client on its way to its address."""

    def __init__(self, portal: EdgePortal, people: People, client: str) -> None:
        self.portal, self.client = portal, client
        self.browser = people.browser(people.alice)

    def press(self, what: str = "deploy") -> None:
        db.session.rollback()
        self.browser.post(f"/llm-clients/{self.client}/{what}", {"confirm": "yes"})

    def work(self, is_done: Callable[[], bool]) -> None:
        """Let the worker work; nobody else holds the database meanwhile."""
        db.session.rollback()
        self.portal.work(is_done)

    def row(self) -> LLMClient:
        return db.session.scalars(select(LLMClient)).one()

    def run(self) -> Deployment:
        return db.session.scalars(select(Deployment).order_by(Deployment.id.desc())).first()

    def waits_for(self, reason: str) -> Callable[[], bool]:
        return lambda: self.run().reason == reason

    def is_ready(self) -> bool:
        return bool(self.row().is_open)

    def orders(self) -> int:
        query = select(func.count()).where(CertificateAttempt.kind == "order")
        return int(db.session.scalar(query) or 0)

    def hurry(self) -> None:
        """Whatever waits is due now."""
        for model in (Deployment, CertificateOrder):
            due = update(model).where(model.next_attempt_at.is_not(None))
            db.session.execute(due.values(next_attempt_at=utc_now()))
        db.session.commit()

    def shown(self) -> str:
        host = self.row().default_host
        db.session.rollback()
        return self.portal.shown(host)


@pytest.fixture
def deploying(
    make_edge_portal: MakeEdgePortal, people: People, make_client: MakeClient, planes: Planes,
    database: None,
) -> Deploying:  # fmt: skip
    portal = make_edge_portal()
    return Deploying(portal, people, make_client("guide"))


def test_away_for_a_while(deploying: Deploying) -> None:
    oops = (502, {"Content-Type": "text/html"}, b"<h1>Bad gateway</h1>")
    deploying.portal.door.faults["/dir"] = [oops] * 3
    deploying.press()
    deploying.work(deploying.waits_for("ca_unavailable"))
    assert deploying.row().tls_certificate_issuance_status == Tls.REQUESTED
    assert deploying.run().next_attempt_at is not None
    while not deploying.is_ready():
        deploying.hurry()
        deploying.work(lambda: deploying.run().reason != "ca_unavailable")
        deploying.work(lambda: deploying.is_ready() or bool(deploying.run().reason))
    assert deploying.orders() == 1


def test_its_limit_is_reached(deploying: Deploying) -> None:
    said = "too many new orders recently"
    deploying.portal.door.faults["/order-plz"] = [
        problem(429, "rateLimited", said, **{"Retry-After": "5400"})
    ]
    deploying.press()
    deploying.work(deploying.waits_for("ca_rate_limit"))
    run = deploying.run()
    assert run.is_active
    assert said in run.message
    assert "until" in run.message
    wait = run.next_attempt_at - utc_now()
    assert timedelta(minutes=80) < wait <= timedelta(minutes=90)
    assert deploying.row().tls_certificate_issuance_status == Tls.REQUESTED

    deploying.press()  # pressing again asks nobody
    seen = deploying.portal.door.count("/order-plz")
    db.session.execute(update(Deployment).values(next_attempt_at=utc_now()))
    db.session.commit()
    deploying.work(lambda: deploying.run().attempt >= 2)
    assert deploying.portal.door.count("/order-plz") == seen

    deploying.hurry()
    deploying.work(deploying.is_ready)
    assert deploying.shown()


def test_a_proof_that_it_does_not_accept(deploying: Deploying) -> None:
    error = {"type": "urn:ietf:params:acme:error:unauthorized", "detail": "Invalid response: 404"}
    deploying.portal.door.rewrites["/my-order/"] = {"status": "invalid", "error": error}
    deploying.press()
    deploying.work(lambda: deploying.run().reason not in ("", "cannot_tell"))
    order = db.session.scalars(select(CertificateOrder)).one()
    assert order.failures == 1
    assert "Invalid response: 404" in order.detail
    assert "Invalid response: 404" in deploying.run().message
    wait = deploying.run().next_attempt_at - utc_now()
    assert wait <= timedelta(seconds=61)
    assert deploying.row().tls_certificate_issuance_status == Tls.REQUESTED
    assert deploying.orders() == 1

    deploying.portal.door.rewrites.clear()
    deploying.hurry()
    deploying.work(deploying.is_ready)


def test_a_renewal_that_fails_leaves_the_old_one_in_place(deploying: Deploying) -> None:
    deploying.press()
    deploying.work(deploying.is_ready)
    serial = deploying.shown()
    deploying.portal.door.faults["/order-plz"] = [
        problem(401, "unauthorized", "Account has status revoked")
    ]
    due = update(CertificateOrder).values(next_attempt_at=utc_now(), renew_at=utc_now())
    db.session.execute(due)
    db.session.commit()
    deploying.work(lambda: failures() == 1)
    order = db.session.scalars(select(CertificateOrder)).one()
    assert order.reason == "ca_account"
    assert "revoked" in order.detail
    assert deploying.shown() == serial
    assert deploying.row().tls_certificate_issuance_status == Tls.ISSUED
    deploying.hurry()
    deploying.work(lambda: len(certificates()) == 2)
    assert deploying.shown() not in ("", serial)


def failures() -> int:
    return int(db.session.scalars(select(CertificateOrder.failures)).one())


def certificates() -> list[Certificate]:
    return list(db.session.scalars(select(Certificate)))


def test_renewed_when_the_authority_says_so(deploying: Deploying) -> None:
    deploying.portal.door.window = soon(utc_now(), 40)
    deploying.press()
    deploying.work(deploying.is_ready)
    deploying.hurry()
    deploying.work(lambda: renew_at() is not None)
    planned = renew_at()
    start, end = deploying.portal.door.window
    assert start <= planned <= end
    order = db.session.scalars(select(CertificateOrder)).one()
    assert order.next_attempt_at <= utc_now() + timedelta(hours=6, minutes=1)
    assert len(certificates()) == 1


def renew_at() -> object:
    return db.session.scalars(select(CertificateOrder.renew_at)).one()


def test_an_order_that_nobody_wants_any_more_answers_no_proofs(deploying: Deploying) -> None:
    deploying.portal.door.rewrites["/my-order/"] = {"status": "pending"}
    deploying.press()
    deploying.work(lambda: deploying.orders() == 1)
    deploying.press("undeploy")
    off = Tls.NO_CERTIFICATE
    deploying.work(lambda: deploying.row().tls_certificate_issuance_status == off)
    order = db.session.scalars(select(CertificateOrder)).one()
    assert order.sealed_state == ""
    assert order.next_attempt_at is None
