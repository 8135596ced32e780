"""What an attempt at a step is told, and what it comes back with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from portal.adapters import Adapters
from portal.certificates.orders import Wish
from portal.dns import Record
from portal.tls import Issuance
from portal.tls.probe import Probe

PLATFORM, CUSTOMER, NOBODY = "platform", "customer", "nobody"


@dataclass(frozen=True)
class Finding:
    """A check of the domain that does not pass yet, in its own words."""

    message: str
    reason: str
    who_acts: str


@dataclass(frozen=True)
class CustomHost:
    """What is particular to a host on a customer's domain: his records, his zone, the checks.

    `finding` None: all that has to be true before a certificate is asked for is true.
    `is_unpublished`: his zone's editor could publish a record that it has not.
    """

    records: tuple[Record, ...]
    zone: str
    editor: str
    editor_values: dict[str, str] = field(repr=False)
    is_unpublished: bool = False
    finding: Finding | None = None


@dataclass(frozen=True)
class Target:
    """All that a step needs to know, read before it goes outside.

    `wishes`: for each host without a certificate, the one to ask for; `chains`: only those that
    may be revoked when the host goes.
    """

    hosts: tuple[str, ...]
    leaving_hosts: tuple[str, ...]
    edge_address: str
    edge_port: int
    edge_host: str = ""
    custom: dict[str, CustomHost] = field(default_factory=dict)
    serials: dict[str, str] = field(default_factory=dict)
    chains: dict[str, str] = field(default_factory=dict)
    wishes: dict[str, Wish] = field(default_factory=dict)
    platform_zone: str = ""

    @property
    def is_certified(self) -> bool:
        return all(self.serials.get(host) for host in self.hosts)


@dataclass(frozen=True)
class Done:
    """The step is true now; `issued` carries new certificates by name, `published` new records.

    `seen`: by host, the certificates that a handshake showed and somebody else keeps.
    """

    message: str
    issued: dict[str, Issuance] = field(default_factory=dict)
    published: tuple[str, ...] = ()
    seen: dict[str, Probe] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """Not yet; `seconds` is a wish (None: by the back-off), `back_to` an earlier step to repeat.

    `not_ordered`: the certificate for which no order was made, for its authority was away.
    """

    message: str
    reason: str
    who_acts: str = NOBODY
    seconds: float | None = None
    back_to: str = ""
    not_ordered: str = ""
    issuances: dict[str, Issuance] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """It will not become true by waiting."""

    message: str
    reason: str
    who_acts: str
    issuances: dict[str, Issuance] = field(default_factory=dict)


NOT_CHECKED = Finding("the first checks are under way.", "waits_for_others", NOBODY)
Result = Done | Wait | Failed
Act = Callable[[Target, Adapters, datetime], Result]
