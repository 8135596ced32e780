"""The ledger keeps us below what an authority allows, and says when there is room again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from portal.certificates import ledger
from portal.certificates.authority_limits import FAILURE, ISSUED, LIMITS, ORDER
from portal.certificates.models import CertificateAttempt
from portal.database import db
from tests.people import People

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "registrable"),
    [
        ("chat.example.com", "example.com"),
        ("*.a.b.example.co.uk", "example.co.uk"),
        ("me.github.io", "me.github.io"),
        ("bot.ca.test", "ca.test"),
        ("co.uk", "co.uk"),
    ],
)
def test_what_is_bought_from_a_registrar(name: str, registrable: str) -> None:
    assert ledger.registrable(name) == registrable


def test_five_of_the_same_names_in_a_week_one_of_them_for_renewals(
    account_id: int, now: datetime
) -> None:
    for days in (6, 5, 4, 3):
        ledger.note(ISSUED, account_id, "a.example.com", now - days * DAY)

    full = ledger.reached(account_id, "a.example.com", now)

    assert full is not None
    assert (full.key, full.used, full.most) == ("duplicates", 4, 5)
    assert full.frees_at == now + DAY
    assert ledger.reached(account_id, "a.example.com", now, is_renewal=True) is None
    assert ledger.reached(account_id, "b.example.com", now) is None


def test_forty_new_names_below_a_domain_in_a_week(account_id: int, now: datetime) -> None:
    for number in range(40):
        ledger.note(ISSUED, account_id, f"n{number}.example.com", now - DAY)
    full = ledger.reached(account_id, "another.example.com", now)
    assert full is not None
    assert full.key == "registrable"
    assert "example.com" in full.label
    assert ledger.reached(account_id, "another.example.org", now) is None


def test_three_refusals_of_a_name_in_an_hour(account_id: int, now: datetime) -> None:
    for minutes in (50, 30, 10):
        ledger.note(FAILURE, account_id, "a.example.com", now - timedelta(minutes=minutes))
    full = ledger.reached(account_id, "a.example.com", now)
    assert full is not None
    assert (full.key, full.is_ours) == ("failures", True)
    assert full.frees_at == now + timedelta(minutes=10)
    assert ledger.reached(account_id, "a.example.com", now + timedelta(minutes=11)) is None


def test_one_account_cannot_use_up_the_portals_orders(
    people: People, account_id: int, now: datetime
) -> None:
    for number in range(80):
        ledger.note(ORDER, account_id, f"n{number}.example{number}.com", now - 4 * HOUR)
    mine = ledger.reached(account_id, "x.example.com", now)
    assert mine is not None
    assert mine.key == "account"
    assert ledger.reached(people.charlie.account_id, "x.example.com", now) is None


def test_every_limit_can_be_shown(account_id: int, now: datetime) -> None:
    ledger.note(ORDER, account_id, "a.example.com", now)
    shown = ledger.uses(account_id, "a.example.com", now)
    assert [one.key for one in shown] == [limit.key for limit in LIMITS]
    assert {one.key: one.used for one in shown if one.used} == {"orders": 1, "account": 1}
    assert not any(one.is_reached for one in shown)
    assert all("{" not in one.label for one in shown)


def test_old_lines_go(account_id: int, now: datetime) -> None:
    ledger.note(ORDER, account_id, "a.example.com", now - 9 * DAY)
    db.session.flush()
    ledger.note(ORDER, account_id, "a.example.com", now)
    assert db.session.query(CertificateAttempt).count() == 1
