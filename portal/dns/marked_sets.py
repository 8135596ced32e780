"""What zone editors share that change whole record sets through a provider's API.

Beside each record set of ours lies a TXT record `_portal-<type>.<name>`, as with dynamic updates.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from portal.dns import Answer, Published, Record, SettingField, Trouble
from portal.dns.refusals import in_use
from portal.dns.trial import write_and_remove
from portal.dns.values import absolute_name, check_inside, plain_name, rdata_of, value_of
from portal.errors import AdapterError

MARK_TTL = 300
BESIDE_AN_ALIAS = frozenset({"RRSIG", "NSEC"})


@dataclass(frozen=True)
class StoredSet:
    """A record set as the provider has it; `handle` is the provider's own way to name it.

    Not `plain`: it answers by the provider's own rules (alias, weights, proxy), so never ours.
    """

    record: Record
    handle: object = None
    plain: bool = True


class MarkedSetEditor(ABC):
    """Edits below `zone` only. The three verbs of the provider raise AdapterError."""

    provider = ""
    settings: ClassVar[tuple[SettingField, ...]] = ()

    def __init__(self, zone: str, *, owner: str = "portal") -> None:
        self._zone = absolute_name(zone)
        self._mark = f"managed by portal, owner {owner}"

    @classmethod
    def from_settings(
        cls, values: Mapping[str, str], *, allow_private_addresses: bool = False
    ) -> Self:
        """Build the editor from its form; raises AdapterError where a value is missing."""
        return cls(*needed(cls.settings, values))

    @abstractmethod
    def stored(self, name: str) -> tuple[StoredSet, ...]:
        """Every record set at exactly this name."""

    @abstractmethod
    def change(self, name: str, removed: Sequence[StoredSet], added: Sequence[Record]) -> None:
        """All of it or nothing, refused (`not_ours`) where something else came in between."""

    def settled(self) -> bool:
        """Whether the provider's name servers have what we changed last."""
        return True

    def publish(self, record: Record) -> Published:
        """Serve exactly these values, or raise AdapterError (reason `not_ours`, `not_applied`)."""
        check_inside(record, self._zone)
        wanted = tuple(sorted(value_of(rdata) for rdata in rdata_of(record)))
        there = self.stored(_plain(record.name))
        before = _of_type(there, record.type)
        if before and before.plain and before.record.values == wanted:
            return Published(f"{record.name} already answers as wanted.", changed=False)
        mark = self._stored_mark(record)
        if before and (not mark or not before.plain):
            raise in_use(_words(before.record))
        for other in there:
            if _excludes(other.record.type, record.type):
                raise in_use(_words(other.record))
        added = [Record(_plain(record.name), record.type, wanted, record.ttl)]
        added += [] if mark else [self._mark_of(record)]
        self.change(added[0].name, [before] if before else [], added)
        self._read_back(added[0])
        return Published(f"{record.name} is published.", changed=True)

    def withdraw(self, record: Record) -> Published:
        """Remove our record set; one that is not ours stays, and the message says so."""
        check_inside(record, self._zone)
        name, mark = _plain(record.name), self._stored_mark(record)
        before = _of_type(self.stored(name), record.type)
        if not mark:
            if before:
                message = f"{record.name} is still served by a record that the portal did not make."
                return Published(message, changed=False)
            return Published(f"{record.name} was withdrawn before.", changed=False)
        self.change(name, [before, mark] if before else [mark], [])
        return Published(f"{record.name} is withdrawn.", changed=True)

    def read(self, name: str, type: str) -> Answer:
        """What the provider has now; "could not ask" until its servers have our last change."""
        try:
            there, settled = self.stored(_plain(name)), self.settled()
        except AdapterError as error:
            detail = f"{error.public_message} {error.detail}".strip()
            trouble: Trouble = "refused" if error.permanent else "unreachable"
            return Answer("could_not_ask", server=self.provider, detail=detail, trouble=trouble)
        if not settled:
            detail = "the change is still on its way to the provider's name servers"
            return Answer("could_not_ask", server=self.provider, detail=detail)
        found = _of_type(there, type)
        if found:
            return Answer("found", found.record.values, found.record.ttl, self.provider)
        return Answer("no_record" if there else "no_name", server=self.provider)

    def try_out(self) -> str:
        """Prove the key and its rights by writing and removing a record."""
        return write_and_remove(self, plain_name(self._zone))

    def _mark_of(self, record: Record) -> Record:
        below = _plain(record.name).replace("*", "_wildcard", 1)
        name = f"_portal-{record.type.lower()}.{below}"
        return Record(name, "TXT", (self._mark,), MARK_TTL)

    def _stored_mark(self, record: Record) -> StoredSet | None:
        wanted = self._mark_of(record)
        found = _of_type(self.stored(wanted.name), "TXT")
        return found if found and found.record.values == wanted.values else None

    def _read_back(self, record: Record) -> None:
        found = _of_type(self.stored(record.name), record.type)
        if found is None or found.record.values != record.values:
            raise AdapterError(
                "The DNS provider accepted the DNS record but does not have it.",
                reason="not_applied",
                permanent=True,
                detail=_words(found.record) if found else f"{record.name} {record.type}: nothing",
            )


def needed(fields: Sequence[SettingField], values: Mapping[str, str]) -> list[str]:
    """The required values in the order of the form; raises AdapterError where one is missing."""
    missing = [field.label for field in fields if not values.get(field.name, "").strip()]
    if missing:
        raise AdapterError(
            "The settings of the DNS provider are not complete.",
            reason="settings",
            permanent=True,
            detail=f"missing: {', '.join(missing)}",
        )
    return [values[field.name].strip() for field in fields]


def _of_type(sets: Sequence[StoredSet], type: str) -> StoredSet | None:
    return next((one for one in sets if one.record.type == type.upper()), None)


def _excludes(there: str, wanted: str) -> bool:
    """An alias stands alone (RFC 1034 section 3.6.2)."""
    return there != wanted and "CNAME" in (there, wanted) and there not in BESIDE_AN_ALIAS


def _plain(name: str) -> str:
    return plain_name(absolute_name(name))


def _words(record: Record) -> str:
    return f"{record.name} {record.type}: {', '.join(record.values)}"[:500]
