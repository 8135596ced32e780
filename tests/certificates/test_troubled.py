"""A certificate that cannot be got or renewed is told of, once for each row of failures."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from portal.certificates import orders, store
from portal.certificates.models import CertificateOrder
from portal.database import db
from portal.notices.kinds import Kind, Level
from portal.notices.models import Notice
from tests.outside import issuance

NAME = "chat.example.com"
HOUR = timedelta(hours=1)


def told() -> list[Notice]:
    return list(db.session.scalars(select(Notice).order_by(Notice.id)))


def refuse(account_id: int, now: datetime, times: int) -> None:
    for number in range(times):
        later = now + number * 30 * HOUR
        assert orders.take(account_id, NAME, NAME, "one", later).blocked is None
        no = issuance(
            "waiting", now=later, message="A CAA record forbids it.", reason="ca_no", refused=True
        )
        orders.record_for(account_id, NAME, "one", no, later)
        db.session.commit()


def test_the_third_refusal_in_a_row_is_told_once(account_id: int, now: datetime) -> None:
    refuse(account_id, now, 2)
    assert told() == []
    refuse(account_id, now + 90 * HOUR, 5)
    [notice] = told()
    assert (notice.kind, notice.level) == (Kind.CERTIFICATE_FAILING, Level.BAD)
    assert notice.subject == f"The certificate of {NAME} cannot be got"
    assert "A CAA record forbids it." in notice.text
    assert "The next attempt is on" in notice.text


def test_a_renewal_says_that_the_present_one_is_valid(account_id: int, now: datetime) -> None:
    store.keep(account_id, NAME, issuance("issued", now=now, serial="1"))
    db.session.commit()
    refuse(account_id, now, 3)
    [notice] = told()
    assert notice.subject == f"The certificate of {NAME} cannot be renewed"
    assert notice.level == Level.LOOK
    assert "as long as the present certificate is valid" in notice.text


def test_after_a_success_the_next_row_of_refusals_is_told_too(
    account_id: int, now: datetime
) -> None:
    refuse(account_id, now, 3)
    later = now + 200 * HOUR
    orders.take(account_id, NAME, NAME, "one", later)
    orders.record_for(account_id, NAME, "one", issuance("issued", now=later, serial="2"), later)
    db.session.commit()
    refuse(account_id, now + 300 * HOUR, 3)
    assert len(told()) == 2


def test_an_authority_that_is_away_for_hours_is_told_of(account_id: int, now: datetime) -> None:
    orders.take(account_id, NAME, NAME, "one", now)
    order = db.session.scalars(select(CertificateOrder)).one()
    for number in range(12):
        orders.trouble(order, "It could not be asked.", "ca_unavailable", "", now + number * HOUR)
        db.session.commit()
        assert len(told()) == (1 if number >= 7 else 0)


def test_what_is_nobody_s_is_told_to_nobody(account_id: int, now: datetime) -> None:
    order = CertificateOrder(account_id=None, name=NAME, attempt=7, failures=0)
    db.session.add(order)
    db.session.flush()
    orders.trouble(order, "It could not be asked.", "ca_unavailable", "", now)
    assert told() == []
