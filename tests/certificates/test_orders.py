"""One order for a name, however many want it; refusals, pauses, keys."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.certificates import challenges, ledger, orders, preflight, store
from portal.certificates.models import Certificate, CertificateOrder, OpenChallenge
from portal.certificates.naming import certificate_name
from portal.database import db
from portal.settings import Settings
from portal.tls import Challenge, Issuance
from tests.outside import issuance
from tests.planes import Planes

NAME = "chat.example.com"
TOKEN = "t" * 43


def waiting(now: datetime, **more: Any) -> Issuance:
    proof = Challenge("http-01", NAME, TOKEN, f"{TOKEN}.thumb")
    values: dict[str, Any] = {
        "message": "The authority is looking.",
        "state": {"order": {"key": "-----BEGIN PRIVATE KEY-----"}},
        "challenges": (proof,),
        "has_ordered": True,
        "retry_in_seconds": 0,
        **more,
    }
    return issuance("waiting", now=now, **values)


def refusal(now: datetime, **more: Any) -> Issuance:
    values = {"message": "No.", "reason": "port_80_closed", "refused": True, **more}
    return issuance("waiting", now=now, **values)


def the_order() -> CertificateOrder:
    db.session.flush()
    return db.session.scalars(select(CertificateOrder)).one()


def test_whoever_takes_an_order_keeps_others_away(account_id: int, now: datetime) -> None:
    assert orders.take(account_id, NAME, NAME, "one", now).blocked is None
    other = orders.take(account_id, NAME, NAME, "two", now)
    assert other.blocked is not None
    assert other.blocked.reason == "ordered_already"
    assert orders.take(account_id, NAME, NAME, "one", now).blocked is None
    late = now + orders.HELD + timedelta(seconds=1)
    assert orders.take(account_id, NAME, NAME, "two", late).blocked is None


def test_whoever_is_done_lets_others_go_on_at_once(account_id: int, now: datetime) -> None:
    orders.take(account_id, NAME, NAME, "one", now)
    orders.let_go("one")
    assert orders.take(account_id, NAME, NAME, "two", now).blocked is None


def test_giving_up_does_not_shorten_a_refusals_pause(
    account_id: int, now: datetime, with_acme: Settings
) -> None:
    orders.take(account_id, NAME, NAME, "one", now)
    orders.record_for(account_id, NAME, "one", refusal(now), now)
    orders.give_up(NAME)
    wish = orders.take(account_id, NAME, NAME, "two", now)
    assert wish.blocked is not None
    assert wish.blocked.reason == "port_80_closed"


def test_of_many_who_want_one_name_at_once_one_orders(
    planes: Planes, account_id: int, now: datetime
) -> None:
    together, free = threading.Barrier(5), []

    def take(number: int) -> None:
        with planes.worker.app_context():
            together.wait(10)
            wish = orders.take(account_id, NAME, NAME, f"deployment-{number}", now)
            db.session.commit()
            free.append(wish.blocked is None)

    db.session.rollback()
    threads = [threading.Thread(target=take, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(free) == [False] * 4 + [True]


def test_the_state_goes_on_where_it_was_and_is_sealed(account_id: int, now: datetime) -> None:
    orders.take(account_id, NAME, NAME, "one", now)
    orders.record_for(account_id, NAME, "one", waiting(now), now)
    db.session.commit()

    assert "PRIVATE" not in the_order().sealed_state
    wish = orders.take(account_id, NAME, NAME, "one", now)
    assert wish.state == {"order": {"key": "-----BEGIN PRIVATE KEY-----"}}
    assert "PRIVATE" not in repr(wish)


def test_who_lost_the_order_writes_no_state(account_id: int, now: datetime) -> None:
    orders.take(account_id, NAME, NAME, "one", now)
    later = now + orders.HELD + timedelta(seconds=1)
    orders.take(account_id, NAME, NAME, "two", later)
    orders.record_for(account_id, NAME, "one", waiting(later), later)
    assert the_order().sealed_state == ""


def test_proofs_are_shown_while_the_order_is_open(account_id: int, now: datetime) -> None:
    orders.take(account_id, NAME, NAME, "one", now)
    orders.record_for(account_id, NAME, "one", waiting(now), now)
    assert challenges.answer(NAME, TOKEN) == f"{TOKEN}.thumb"
    assert challenges.answer("other.example.com", TOKEN) is None

    orders.record_for(account_id, NAME, "one", issuance("issued", now=now, serial="1"), now)
    db.session.flush()

    assert challenges.answer(NAME, TOKEN) is None
    assert db.session.scalars(select(OpenChallenge)).all() == []


def test_a_new_order_shows_only_its_own_proofs(account_id: int, now: datetime) -> None:
    challenges.show(NAME, [Challenge("http-01", NAME, TOKEN, "old")])
    challenges.show(NAME, [Challenge("http-01", NAME, "n" * 43, "new")])
    db.session.flush()
    assert challenges.answer(NAME, TOKEN) is None
    assert challenges.answer(NAME, "n" * 43) == "new"


@pytest.mark.parametrize(
    "token", ["", "short", "t" * 129, "../" + "t" * 40, "t" * 40 + "%", "ü" * 30]
)
def test_what_is_no_token_is_not_looked_up(database: None, token: str) -> None:
    assert challenges.answer(NAME, token) is None


def test_refusals_wait_one_ten_a_hundred_minutes_then_a_day(
    account_id: int, now: datetime, with_acme: Settings
) -> None:
    waits = []
    for _ in range(6):
        orders.take(account_id, NAME, NAME, "one", now)
        orders.record_for(account_id, NAME, "one", refusal(now), now)
        db.session.flush()
        wish = orders.take(account_id, NAME, NAME, "one", now)
        assert wish.blocked is not None
        assert wish.blocked.reason == "port_80_closed"
        waits.append(round(wish.blocked.seconds / 60))
        now += timedelta(seconds=wish.blocked.seconds + 1)
    assert waits == [1, 10, 100, 1440, 1440, 1440]


def test_never_more_than_three_refusals_an_hour(
    account_id: int, now: datetime, with_acme: Settings
) -> None:
    for minutes in (40, 20, 1):
        ledger.note("failure", account_id, NAME, now - timedelta(minutes=minutes))
    wish = orders.take(account_id, NAME, NAME, "one", now)
    assert wish.blocked is not None
    assert wish.blocked.reason == "ca_rate_limit"
    assert "UTC" in wish.blocked.sentence


def test_an_order_that_is_open_is_gone_on_with_whatever_the_limits_say(
    account_id: int, now: datetime, with_acme: Settings
) -> None:
    orders.take(account_id, NAME, NAME, "one", now)
    orders.record_for(account_id, NAME, "one", waiting(now), now)
    for _ in range(5):
        ledger.note("failure", account_id, NAME, now)
    assert orders.take(account_id, NAME, NAME, "one", now).blocked is None


def test_the_authoritys_words_and_its_pause_are_kept(account_id: int, now: datetime) -> None:
    orders.take(account_id, NAME, NAME, "one", now)
    said = issuance(
        "waiting", now=now, message="Limit reached until 14:00 UTC.", reason="ca_rate_limit",
        retry_in_seconds=7200, detail="urn:ietf:params:acme:error:rateLimited: too many",
    )  # fmt: skip
    orders.record_for(account_id, NAME, "one", said, now)
    order = the_order()
    assert order.detail == said.detail
    assert order.next_attempt_at == now + timedelta(hours=2)
    wish = orders.take(account_id, NAME, NAME, "two", now + timedelta(hours=1))
    assert wish.blocked is not None
    assert wish.blocked.sentence == "Limit reached until 14:00 UTC."
    assert wish.blocked.seconds == pytest.approx(3600)


def test_no_authority_is_asked_while_a_domain_is_not_right(account_id: int, now: datetime) -> None:
    @preflight.preflight
    def objects(host: str, at: datetime) -> str:
        return "The record does not lead here yet." if host == NAME else ""

    try:
        wish = orders.take(account_id, NAME, NAME, "one", now)
        other = orders.take(account_id, "b.example.com", "b.example.com", "one", now)
    finally:
        preflight._checks.remove(objects)
    assert wish.blocked is not None
    assert (wish.blocked.reason, wish.blocked.who_acts) == ("preflight", "customer")
    assert wish.blocked.sentence == "The record does not lead here yet."
    assert other.blocked is None


@pytest.mark.parametrize(
    ("reason", "host", "who"),
    [
        ("caa_forbids", "chat.example.com", "customer"),
        ("caa_forbids", "bot.1.api.test", "platform"),
        ("ca_account", "chat.example.com", "platform"),
        ("ca_rate_limit", "chat.example.com", "nobody"),
    ],
)
def test_who_can_do_something(reason: str, host: str, who: str) -> None:
    assert orders.who_acts(reason, host, "api.test") == who


class TestNames:
    """An account's single-label hosts share a wildcard where the portal can prove it."""

    @pytest.mark.parametrize(
        ("host", "name"),
        [
            ("bot.1234-5678-9012.{base}", "*.1234-5678-9012.{base}"),
            ("bot.user.1234-5678-9012.{base}", "bot.user.1234-5678-9012.{base}"),
            ("chat.example.com", "chat.example.com"),
            ("{base}", "{base}"),
        ],
    )
    def test_which(self, with_acme: Settings, host: str, name: str) -> None:
        base = with_acme.base_api_domain
        assert certificate_name(host.format(base=base), with_acme) == name.format(base=base)

    def test_not_with_another_issuer(self, settings: Settings) -> None:
        host = f"bot.1234-5678-9012.{settings.base_api_domain}"
        assert certificate_name(host, settings) == host


class TestStore:
    """Who is served with what."""

    def keep(self, account_id: int, name: str, now: datetime, serial: str = "1") -> Certificate:
        kept = store.keep(account_id, name, issuance("issued", now=now, serial=serial))
        db.session.flush()
        return kept

    def test_a_shared_certificate_is_served_to_the_hosts_that_share_it(
        self, account_id: int, now: datetime, saved: Callable[[], None]
    ) -> None:
        self.keep(account_id, "*.a.test", now)
        for host in ("one.a.test", "two.a.test"):
            store.share(account_id, host, "*.a.test")
        saved()
        store.stop_serving("one.a.test")
        saved()
        assert store.good_certificate("one.a.test", now) is None
        assert store.good_certificate("three.a.test", now) is None
        assert store.good_certificate("two.a.test", now) is not None
        assert store.is_wanted("*.a.test")
        store.stop_serving("two.a.test")
        saved()
        assert not store.is_wanted("*.a.test")
        assert store.good_of_name("*.a.test", now) is not None

    def test_the_new_one_is_served_as_soon_as_it_is_there(
        self, account_id: int, now: datetime
    ) -> None:
        self.keep(account_id, NAME, now, "1")
        self.keep(account_id, NAME, now, "2")
        found = store.good_certificate(NAME, now)
        assert found is not None
        assert found.serial == "2"

    def test_what_is_no_longer_served_can_still_be_revoked_or_served_again(
        self, account_id: int, now: datetime
    ) -> None:
        self.keep(account_id, NAME, now)
        store.stop_serving(NAME)
        db.session.flush()
        assert store.good_certificate(NAME, now) is None
        assert store.unrevoked(NAME, now) is not None
        store.serve_again(NAME)
        db.session.flush()
        assert store.good_certificate(NAME, now) is not None
        store.revoke(NAME, now)
        db.session.flush()
        assert store.unrevoked(NAME, now) is None

    def test_keys_are_sealed_for_their_name(self, account_id: int, now: datetime) -> None:
        kept = self.keep(account_id, NAME, now)
        assert "key" not in kept.sealed_key
        assert store.pem_of(kept) == "chain of 1\nkey\n"
