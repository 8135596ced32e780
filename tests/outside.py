"""Fakes of the outside, handed in where a real peer would not fail on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from portal.adapters import Adapters
from portal.dns import Answer, AwaitingOwner, Published, Record, ZoneEditor
from portal.dns.large_numbers import one_by_one
from portal.dns.manual import ManualZoneEditor
from portal.errors import AdapterError
from portal.llm_providers import ChatProvider
from portal.settings import Settings
from portal.tls import AuthorityAccounts, Issuance, Renewal
from portal.tls.probe import Probe


@dataclass
class FakeOutside:
    """A zone, its view, an issuer and an edge in memory; each can be told to misbehave."""

    zone: dict[str, tuple[str, ...]] = field(default_factory=dict)
    serials: dict[str, str] = field(default_factory=dict)
    zone_error: AdapterError | None = None
    customer_error: AdapterError | None = None
    awaiting_owner: bool = False
    authority_status: str = ""
    public_answers: tuple[Answer, ...] = ()
    issuances: list[Issuance] = field(default_factory=list)
    issued: int = 0
    revoked: list[str] = field(default_factory=list)
    probe_reason: str = ""
    calls: list[str] = field(default_factory=list)
    renewal_wish: Renewal = Renewal()

    @classmethod
    def from_settings(cls, settings: Settings, accounts: AuthorityAccounts) -> FakeOutside:
        return cls()

    def adapters(self) -> Adapters:
        return Adapters(
            zone_editor=self,
            resolver=self,
            issuer=self,
            probe=self.handshake,
            chat_provider=self.no_provider,
            list_models=lambda base_url, api_key: (),
            mail_sender=None,
            customer_zone_editor=self.editor_of_customer,
        )

    def publish(self, record: Record) -> Published | AwaitingOwner:
        self.calls.append(f"publish {record.name}")
        if self.zone_error:
            raise self.zone_error
        if self.awaiting_owner:
            return AwaitingOwner("Enter this record.", (record,))
        self.zone[record.name] = record.values
        return Published(f"{record.name} is published.", changed=True)

    def withdraw(self, record: Record) -> Published | AwaitingOwner:
        self.calls.append(f"withdraw {record.name}")
        if self.zone_error:
            raise self.zone_error
        self.zone.pop(record.name, None)
        return Published(f"{record.name} is withdrawn.", changed=True)

    def read(self, name: str, type: str) -> Answer:
        return self.authority(name, type)[0]

    def authority(self, name: str, type: str) -> tuple[Answer, ...]:
        if self.authority_status:
            return (Answer(self.authority_status, server="ns1", detail="no answer"),)
        values = self.zone.get(name)
        if values is None:
            return (Answer("no_name", server="ns1", ttl=60),)
        return (Answer("found", values, 60, "ns1"),)

    def public(self, name: str, type: str) -> tuple[Answer, ...]:
        return self.public_answers

    def ask_each(self, lookups: Sequence[tuple[str, str]]) -> list[Answer]:
        return one_by_one(self, lookups)

    def request(self, names: tuple[str, ...], now: datetime, state: dict[str, object]) -> Issuance:
        self.calls.append(f"certificate {names[0]}")
        if self.issuances:
            return self.issuances.pop(0)
        self.issued += 1
        serial = f"serial-{self.issued}"
        self.serials[names[0]] = serial
        return issuance("issued", serial=serial, now=now)

    def revoke(self, chain_pem: str, now: datetime) -> None:
        self.revoked.append(chain_pem)

    def release(self, names: tuple[str, ...], now: datetime) -> None:
        self.calls.append(f"release {', '.join(names)}")

    def renewal(self, chain_pem: str, now: datetime) -> Renewal:
        return self.renewal_wish

    def roots_pem(self) -> str | None:
        return None

    def handshake(
        self, name: str, address: str, port: int, now: datetime, *, expected_chain_pem: str = ""
    ) -> Probe:
        if self.probe_reason:
            return probe(False, self.probe_reason, "The edge did not answer.", "")
        return probe(True, "", "Good.", self.serials.get(name, ""))

    def editor_of_customer(self, kind: str, zone: str, values: Mapping[str, str]) -> ZoneEditor:
        """By hand it changes nothing; any other kind edits the same zone in memory."""
        if kind == "manual":
            return ManualZoneEditor()
        if self.customer_error:
            raise self.customer_error
        return self

    def no_provider(self, name: str, base_url: str, api_key: str) -> ChatProvider:
        raise AdapterError("There is no provider in this test.", reason="unreachable")


def issuance(
    status: str, *, now: datetime, serial: str = "", message: str = "", **more: object
) -> Issuance:
    """A certificate issuer's answer."""
    values: dict[str, object] = {
        "status": status,
        "message": message,
        "reason": "",
        "retry_in_seconds": None,
        "chain_pem": f"chain of {serial}\n" if serial else "",
        "key_pem": "key\n" if serial else "",
        "issuer": "CN=Fake",
        "serial": serial,
        "not_before": now - timedelta(hours=1),
        "not_after": now + timedelta(days=90),
        "state": {},
        **more,
    }
    return Issuance(**values)


def probe(ok: bool, reason: str, message: str, serial: str) -> Probe:
    """What a handshake showed."""
    return Probe(
        ok=ok,
        reason=reason,
        message=message,
        issuer="CN=Fake",
        serial=serial,
        not_before=None,
        not_after=None,
        names=(),
    )
