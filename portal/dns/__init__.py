"""The port to the domain name system: who publishes records, and who says what is served.

Names are absolute, in lower case and without the trailing dot. Values are plain text: addresses,
names without the trailing dot, the text of a TXT record without quotes, CAA as `0 issue "ca"`.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, Self

AnswerStatus = Literal["found", "no_record", "no_name", "could_not_ask"]
Trouble = Literal["", "servfail", "refused", "timeout", "lame", "truncated", "bogus", "unreachable"]


@dataclass(frozen=True)
class Record:
    """One set of records: every value of one type at one name. `ttl` in seconds."""

    name: str
    type: str
    values: tuple[str, ...]
    ttl: int


@dataclass(frozen=True)
class Published:
    """The zone is as asked for; `changed` says whether this call changed anything in it."""

    message: str
    changed: bool


@dataclass(frozen=True)
class AwaitingOwner:
    """Nothing was changed: the owner of the zone has to enter (or remove) `records`."""

    message: str
    records: tuple[Record, ...]


@dataclass(frozen=True)
class Answer:
    """What one server said. `could_not_ask` is never a "no"; `detail` tells why.

    `ttl` in seconds, the longest one where aliases lead to `values`; for no_record and no_name it
    is how long a cache may repeat the "no" (RFC 2308). `alias` is the chain of CNAME targets that
    led to `values`, or to nothing. `trouble` is the code of why a server could not be asked;
    "bogus": only the signatures are wrong, unchecked it answers (RFC 4035 section 5.5).
    """

    status: AnswerStatus
    values: tuple[str, ...] = ()
    ttl: int | None = None
    server: str = ""
    detail: str = ""
    alias: tuple[str, ...] = ()
    trouble: Trouble = ""


@dataclass(frozen=True)
class Delegation:
    """Which zone a name lies in and who serves it.

    `found`: `servers` are (name, address) of each name server; `no_name`: the parent zone says
    that the domain does not exist; `no_record`: it exists there and no server of its own answers
    for it; `could_not_ask`: nobody said either.
    """

    status: AnswerStatus
    zone: str = ""
    servers: tuple[tuple[str, str], ...] = ()
    detail: str = ""
    trouble: Trouble = ""


@dataclass(frozen=True)
class SettingField:
    """One setting of an adapter, as its form shows it."""

    name: str
    label: str
    secret: bool = False
    required: bool = True
    help: str = ""


class ZoneEditor(Protocol):
    """Publishes records in one zone. Each verb may be repeated; all raise AdapterError."""

    settings: ClassVar[tuple[SettingField, ...]]

    @classmethod
    def from_settings(
        cls, values: Mapping[str, str], *, allow_private_addresses: bool = False
    ) -> Self:
        """Build the editor from its form; raises AdapterError where a value is no use.

        A server that the form names may be one of the own network only where that is allowed.
        """

    def publish(self, record: Record) -> Published | AwaitingOwner:
        """Make the zone serve exactly `record.values`; never overwrites what is not ours."""

    def withdraw(self, record: Record) -> Published | AwaitingOwner:
        """Remove what we published under this name and type, whatever its values are now."""

    def read(self, name: str, type: str) -> Answer:
        """What the zone's own server says now."""

    def try_out(self) -> str:
        """Prove that the settings work by writing and removing a record; a sentence on success."""


class Resolver(Protocol):
    """Asks name servers; a server that could not be asked is an Answer, not an exception.

    `deadline` is a time of time.monotonic() that several questions may share.
    """

    def delegation(self, name: str, *, deadline: float | None = None) -> Delegation:
        """The zone that `name` lies in and its servers, found from the parent down."""

    def authority(
        self, name: str, type: str, *, deadline: float | None = None
    ) -> tuple[Answer, ...]:
        """The truth now, one answer for each server of the zone; never empty."""

    def public(self, name: str, type: str, *, deadline: float | None = None) -> tuple[Answer, ...]:
        """What visitors see, one answer for each public resolver."""

    def ask_each(self, lookups: Sequence[tuple[str, str]]) -> list[Answer]:
        """One answer for each (name, type) of thousands, the quickest that there is.

        A public resolver's, or an authority's where visitors' resolvers are not asked.
        """


ZONE_EDITORS: dict[str, tuple[str, str]] = {
    "manual": ("Somebody enters the records by hand", "portal.dns.manual:ManualZoneEditor"),
    "rfc2136": ("Dynamic updates (RFC 2136, TSIG)", "portal.dns.rfc2136:Rfc2136ZoneEditor"),
    "local": ("The embedded name server", "portal.dns.local:LocalZoneEditor"),
    "route53": ("Amazon Route 53", "portal.dns.route53:Route53ZoneEditor"),
    "cloudflare": ("Cloudflare", "portal.dns.cloudflare:CloudflareZoneEditor"),
}


def zone_editor_class(kind: str) -> type[ZoneEditor]:
    """The adapter registered under `kind`; KeyError for an unknown one."""
    module, _, class_name = ZONE_EDITORS[kind][1].partition(":")
    adapter: type[ZoneEditor] = getattr(importlib.import_module(module), class_name)
    return adapter
