"""Proofs in DNS: published before the authority looks, where we may, and taken back afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from portal.certificates import ordering
from portal.dns import Answer, Record, ZoneEditor
from portal.dns.manual import ManualZoneEditor
from portal.errors import AdapterError
from portal.tls import Challenge, Issuance
from tests.outside import FakeOutside, issuance

pytestmark = pytest.mark.engine_independent

ZONE = "api.ca.test"
NOW = datetime.fromisoformat("2027-01-01T00:00:00+00:00")


class Asking:
    """An order for one name, its outside, and what is kept between steps."""

    def __init__(self) -> None:
        self.outside = FakeOutside()
        self.state: dict[str, Any] = {}
        self.customer_editor: ZoneEditor | None = None

    def expect(self, *answers: Issuance) -> None:
        self.outside.issuances += answers

    def step(self, name: str = f"*.1.{ZONE}") -> Issuance:
        adapters, editor = self.outside.adapters(), self.customer_editor
        found = ordering.step(name, self.state, adapters, ZONE, NOW, editor)
        self.state = found.state
        return found

    @property
    def requests(self) -> int:
        return sum(call.startswith("certificate ") for call in self.outside.calls)


@pytest.fixture
def asking() -> Asking:
    return Asking()


def waiting(*proofs: Challenge, **more: Any) -> Issuance:
    values = {"state": {"order": 1}, "challenges": proofs, **more}
    return issuance("waiting", now=NOW, message="Looking.", **values)


def by_record(host: str, content: str = "digest") -> Challenge:
    return Challenge("dns-01", host, "t" * 43, content)


def test_the_record_is_there_before_the_authority_looks(asking: Asking) -> None:
    asking.expect(waiting(by_record(f"1.{ZONE}")))
    asking.step()
    assert asking.outside.zone == {}
    asking.expect(waiting(by_record(f"1.{ZONE}")))
    asking.step()
    assert asking.outside.zone == {f"_acme-challenge.1.{ZONE}": ("digest",)}
    assert asking.step().status == "issued"
    assert asking.outside.zone == {}
    assert asking.outside.calls.count(f"publish _acme-challenge.1.{ZONE}") == 1


def test_two_proofs_of_one_name_are_one_record(asking: Asking) -> None:
    host = f"1.{ZONE}"
    asking.expect(waiting(by_record(host, "one"), by_record(host, "two")))
    asking.step()
    asking.expect(waiting(by_record(host, "one"), by_record(host, "two")))
    asking.step()
    assert asking.outside.zone[f"_acme-challenge.{host}"] == ("one", "two")


def test_a_name_server_that_lags_behind_is_waited_for(asking: Asking) -> None:
    asking.expect(waiting(by_record(f"1.{ZONE}")))
    asking.step()
    asking.outside.authority_status = "no_record"
    found = asking.step()
    assert (found.status, found.reason, found.retry_in_seconds) == (
        "waiting",
        "challenge_not_seen",
        2,
    )
    assert "ns1" in found.message
    assert asking.requests == 1
    asking.outside.authority_status = "could_not_ask"  # says nothing, so it stops nothing
    assert asking.step().status == "issued"


def test_an_editor_that_fails_costs_no_order(asking: Asking) -> None:
    asking.expect(waiting(by_record(f"1.{ZONE}")))
    asking.step()
    asking.outside.zone_error = AdapterError("It is away.", reason="unreachable", detail="refused")
    found = asking.step()
    assert (found.status, found.reason, found.detail) == ("waiting", "unreachable", "refused")
    asking.outside.zone_error = None
    assert asking.step().status == "issued"
    assert asking.requests == 2


def test_a_zone_that_somebody_else_edits(asking: Asking) -> None:
    asking.outside.awaiting_owner = True
    asking.expect(waiting(by_record(f"1.{ZONE}")))
    asking.step()
    found = asking.step()
    assert found.reason == "awaiting_owner"
    assert "digest" in found.detail
    assert asking.state["order"] == {"order": 1}


def test_what_cannot_be_withdrawn_stops_nothing(asking: Asking) -> None:
    asking.expect(waiting(by_record(f"1.{ZONE}")))
    asking.step()
    asking.expect(waiting(by_record(f"1.{ZONE}")))
    asking.step()
    asking.outside.zone_error = AdapterError("It is away.", reason="unreachable")
    assert asking.step().status == "issued"


def test_a_refusal_takes_the_record_back(asking: Asking) -> None:
    proof = by_record(f"1.{ZONE}")
    asking.expect(waiting(proof))
    asking.step()
    asking.expect(waiting(proof, state={}, refused=True, reason="caa_forbids"))
    assert asking.step().refused
    assert asking.outside.zone == {}
    assert asking.state == {}


class TestCustomDomains:
    HOST = "chat.customer.test"

    def start(self, asking: Asking) -> None:
        asking.expect(waiting(by_record(self.HOST)))
        asking.step(self.HOST)

    def test_a_delegated_name_is_answered_in_the_platforms_zone(self, asking: Asking) -> None:
        self.start(asking)
        target = f"c1.{ZONE}"
        asking.outside = Delegating(f"_acme-challenge.{self.HOST}", target)
        asking.expect(waiting(by_record(self.HOST)))
        asking.step(self.HOST)
        assert asking.outside.zone == {target: ("digest",)}
        assert asking.step(self.HOST).status == "issued"
        assert asking.outside.zone == {}

    def test_nobody_can_publish(self, asking: Asking) -> None:
        self.start(asking)
        found = asking.step(self.HOST)
        assert found.reason == "awaiting_owner"
        assert f"_acme-challenge.{self.HOST}" in found.message

    def test_the_domains_own_editor(self, asking: Asking) -> None:
        asking.customer_editor = asking.outside  # type: ignore[assignment]
        self.start(asking)
        asking.expect(waiting(by_record(self.HOST)))
        asking.step(self.HOST)
        assert asking.outside.zone == {f"_acme-challenge.{self.HOST}": ("digest",)}

    def test_an_owner_who_enters_records_by_hand_is_told(self, asking: Asking) -> None:
        asking.customer_editor = ManualZoneEditor()
        self.start(asking)
        assert asking.step(self.HOST).reason == "awaiting_owner"


class Delegating(FakeOutside):
    """A zone in which one name is an alias of another."""

    def __init__(self, name: str, target: str) -> None:
        super().__init__()
        self.name, self.target = name, target

    def authority(self, name: str, type: str) -> tuple[Answer, ...]:
        if (name, type) == (self.name, "CNAME"):
            return (Answer("found", (self.target,), 60, "ns1"),)
        return super().authority(name, type)


def test_what_is_no_record_is_published_nowhere(asking: Asking) -> None:
    asking.expect(waiting(Challenge("http-01", "chat.customer.test", "t" * 43, "content")))
    asking.step("chat.customer.test")
    assert asking.step("chat.customer.test").status == "issued"
    assert not any(call.startswith("publish") for call in asking.outside.calls)


def test_records_are_small(asking: Asking) -> None:
    zones = ordering.Zones(asking.outside.adapters(), ZONE, None)
    [(record, place)] = ordering._records([by_record(f"1.{ZONE}")], zones)
    assert record == Record(f"_acme-challenge.1.{ZONE}", "TXT", ("digest",), 60)
    assert place is not None
