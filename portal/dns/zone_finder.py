"""Which zone a name lies in and who serves it, from the registered domain down.

The registered domain's name servers come from public resolvers or, where those do not know it or
cannot reach it, from its parent zone. Below it every zone is asked itself, so that a fresh
delegation is seen at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from portal.dns import Answer, Delegation
from portal.dns.ask import UNREACHABLE, trouble_of
from portal.dns.asking import Address, Asking, address_types
from portal.dns.memory import ShortMemory
from portal.dns.referral import Referral, zone_around
from portal.dns.suffixes import registrable
from portal.dns.sweep_servers import Question
from portal.dns.values import absolute_name, plain_name
from portal.errors import AdapterError

MOST_SERVERS = 8  # names of one zone
MOST_ADDRESSES = 16
MOST_LEVELS = 8
ENOUGH_PARENTS = 3  # servers of a zone above that are asked in turn
FOUND_LIFETIME, FAILED_LIFETIME = 60.0, 5.0
SAYS_NO = ("lame", "refused", "servfail", "truncated")


@dataclass(frozen=True)
class ServedZone:
    """A delegation with the ports to ask; `local` where it was known and not found."""

    delegation: Delegation
    addresses: tuple[Address, ...] = ()
    local: bool = False

    @property
    def found(self) -> bool:
        """Whether there is somebody to ask."""
        return self.delegation.status == "found"


class ZoneFinder:
    """Thread-safe. What was found lasts a minute, a failure five seconds."""

    def __init__(
        self, asking: Asking, *, authority_port: int, known: Mapping[str, Sequence[Address]]
    ) -> None:
        self._asking = asking
        self._port = authority_port
        self._known = {plain_name(absolute_name(zone)): tuple(a) for zone, a in known.items()}
        self._zones: ShortMemory[ServedZone] = ShortMemory()
        self._cuts: ShortMemory[Referral] = ShortMemory()

    def find(self, name: str, deadline: float) -> ServedZone:
        """The zone of `name`, a wildcard's or an ordinary one."""
        name = plain_name(absolute_name(name)).removeprefix("*.")
        servers = self.known_servers(name)
        if servers:
            return self._zones.get(name, lambda: _local_zone(name, servers), _lifetime)
        return self._zones.get(name, lambda: self._search(name, deadline), _lifetime)

    def known_servers(self, name: str) -> tuple[Address, ...]:
        """The servers of the closest known zone around `name`; none where it has to be found."""
        try:
            owner = absolute_name(name)
        except AdapterError:
            return ()
        around = [zone for zone in self._known if owner.is_subdomain(absolute_name(zone))]
        return self._known[max(around, key=len)] if around else ()

    def _search(self, name: str, deadline: float) -> ServedZone:
        top = registrable(name)
        zone = self._zones.get((top,), lambda: self._top(top, deadline), _lifetime)
        for candidate in _names_between(name, zone.delegation.zone)[:MOST_LEVELS]:
            if not zone.found:
                return zone
            said = self._referral(candidate, zone, deadline)
            if said.said == "cut":
                zone = self._served(candidate, said, deadline)
            if said.said in ("no_name", "could_not_ask"):
                return zone
        return zone

    def _top(self, top: str, deadline: float) -> ServedZone:
        """The zone of a registered domain, by public resolvers or else by the zone above."""
        said = self._asking.recursive(top, "NS", deadline)
        if said.status == "found" and not said.alias:
            return self._served(top, Referral("cut", said.values), deadline)
        above = self._enclosing(_parent(top), deadline)
        if above.found and said.status in ("found", "no_record"):
            return above
        told = self._referral(top, above, deadline)
        if told.said == "cut":
            return self._served(top, told, deadline)
        if told.said == "no_cut":
            return above
        if "no_name" in (told.said, said.status):
            words = f"{top} does not exist"
            return ServedZone(Delegation("no_name", above.delegation.zone, (), words))
        return ServedZone(Delegation("could_not_ask", top, (), said.detail, said.trouble))

    def _enclosing(self, name: str, deadline: float) -> ServedZone:
        """The zone around a name by what public resolvers say, with a few of its servers."""
        while name:
            said = self._asking.recursive(name, "NS", deadline)
            if said.status == "found" and not said.alias:
                few = Referral("cut", said.values[:ENOUGH_PARENTS])
                return self._located(name, few, deadline)
            if said.status == "could_not_ask":
                break
            name = _parent(name)
        return ServedZone(Delegation("could_not_ask", "", (), "the zone above is not known"))

    def _referral(self, name: str, zone: ServedZone, deadline: float) -> Referral:
        usable = [one for one in zone.addresses if self._asking.may_ask(one)][:ENOUGH_PARENTS]
        ask_them = partial(self._asking.referral, usable, name, deadline)
        return self._cuts.get((zone.delegation.zone, name), ask_them, _referral_lifetime)

    def _served(self, zone: str, said: Referral, deadline: float) -> ServedZone:
        """The zone with the addresses of its servers, if one of those really serves it."""
        located = self._located(zone, said, deadline)
        if not located.found:
            return located
        questions = [Question(zone, "SOA", one, zone=zone) for one in located.addresses]
        answers = self._asking.each(questions, deadline)
        if any(answer.status != "could_not_ask" for answer in answers):
            return located
        servers = located.delegation.servers
        if any(answer.trouble in SAYS_NO for answer in answers):
            words = f"no name server of {zone} answers for it"
            return ServedZone(
                Delegation("no_record", zone, servers, words, "lame"), located.addresses
            )
        first = answers[0]
        silent = Delegation("could_not_ask", zone, servers, first.detail, first.trouble)
        return ServedZone(silent, located.addresses)

    def _located(self, zone: str, said: Referral, deadline: float) -> ServedZone:
        """The zone with the addresses of its servers, asked or not."""
        names = said.servers[:MOST_SERVERS]
        lookups = [(n, type) for n in names if n not in said.glue for type in address_types()]
        answers = self._asking.resolvers_each(lookups, deadline, checking=False)
        found = {name: list(said.glue.get(name, ())) for name in names}
        for (name, _), several in zip(lookups, answers, strict=True):
            found[name] += {value for answer in several for value in answer.values}
        servers = _usable_servers(found)
        if servers:
            addresses = tuple((address, self._port) for _, address in servers)
            return ServedZone(Delegation("found", zone, servers), addresses)
        return ServedZone(_without_address(zone, names, [a for some in answers for a in some]))


def _local_zone(name: str, servers: tuple[Address, ...]) -> ServedZone:
    """In a known zone nothing is discovered but where the zone begins."""
    unreachable = None
    named = tuple((host, host) for host, _ in servers)
    for server in servers:
        try:
            zone = zone_around(server, name, 2.0)
        except UNREACHABLE as error:
            unreachable = error
            continue
        if zone:
            return ServedZone(Delegation("found", zone, named), servers, local=True)
    if unreachable:
        words = "its name server cannot be reached"
        silent = Delegation("could_not_ask", "", named, words, trouble_of(unreachable))
        return ServedZone(silent, servers, local=True)
    return ServedZone(Delegation("no_name", "", (), f"{name} does not exist"), local=True)


def _usable_servers(found: Mapping[str, Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Each address once, with the first name that has it."""
    usable: dict[str, str] = {}
    for name, addresses in found.items():
        for address in sorted(addresses):
            if ":" not in address or "AAAA" in address_types():
                usable.setdefault(address, name)
    return tuple((name, address) for address, name in usable.items())[:MOST_ADDRESSES]


def _without_address(zone: str, names: Sequence[str], answers: Sequence[Answer]) -> Delegation:
    failed = [answer for answer in answers if answer.status == "could_not_ask"]
    if failed or not answers:
        trouble = failed[0].trouble if failed else "unreachable"
        words = "the addresses of its name servers are not known"
        return Delegation("could_not_ask", zone, (), words, trouble)
    words = f"its name servers have no address: {', '.join(names)}"
    return Delegation("no_record", zone, (), words, "lame")


def _names_between(name: str, zone: str) -> list[str]:
    """From just below the zone down to the name itself."""
    labels, above = name.split("."), len(zone.split(".")) if zone else 0
    return [".".join(labels[-count:]) for count in range(above + 1, len(labels) + 1)]


def _parent(name: str) -> str:
    return name.partition(".")[2]


def _lifetime(zone: ServedZone) -> float:
    if zone.local:
        return 0.0  # a zone of the embedded server comes with its first record
    return FOUND_LIFETIME if zone.found else FAILED_LIFETIME


def _referral_lifetime(said: Referral) -> float:
    return FAILED_LIFETIME if said.said == "could_not_ask" else FOUND_LIFETIME
