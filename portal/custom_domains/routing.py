"""Check 3: does a host lead to us, from everywhere and only to us? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from portal.custom_domains import near_misses, records, troubles
from portal.custom_domains.observations import HostSeen, Look, Question, server_names
from portal.custom_domains.ownership import MOST_ALIASES
from portal.custom_domains.proxy_networks import network_of_address, network_of_name
from portal.custom_domains.reasons import failed, passed
from portal.custom_domains.records import Target
from portal.custom_domains.results import CheckResult, Checks, Reasons
from portal.dns import Answer, Delegation
from portal.outgoing import is_public_address

ROUTING = Checks.ROUTING


def leads_to(target: Target, answer: Answer) -> bool:
    """Whether an answer to an address question ends at us, and nowhere else besides."""
    if target.edge_host in answer.alias:
        return True
    return bool(answer.values) and set(answer.values) <= set(target.edge_addresses)


def check_routing(question: Question, seen: HostSeen, now: datetime) -> CheckResult:
    """The row of one host."""
    return _Routing(question, seen.delegation, seen).judged(now)


@dataclass(frozen=True)
class _Routing:
    question: Question
    delegation: Delegation
    seen: HostSeen

    @property
    def host(self) -> str:
        return self.seen.host.host

    @property
    def target(self) -> Target:
        return self.question.target

    @property
    def is_top(self) -> bool:
        return records.is_zone_top(self.host, self.delegation.zone)

    @property
    def expected(self) -> str:
        addresses = [one for one in self.target.edge_addresses if ":" not in one]
        return ", ".join(addresses) if self.is_top else self.target.edge_host

    def judged(self, now: datetime) -> CheckResult:
        look, is_right = self.seen.a, partial(leads_to, self.target)
        if look.trouble is not None:
            return troubles.could_not_ask(ROUTING, self.host, look, self.delegation)
        broken = self._broken_alias()
        if broken is not None:
            return broken
        if not any(is_right(one) for one in look.said):
            return self._wrong(look.said)
        return (
            troubles.disagreement(
                ROUTING, self.host, look, is_right, self.delegation, expected=self.expected
            )
            or self._bogus(look)
            or troubles.still_cached(
                ROUTING, self.host, look, is_right, now, expected=self.expected
            )
            or self._right(look)
        )

    def _right(self, look: Look) -> CheckResult:
        asked = len([one for one in look.public if one.status != "could_not_ask"])
        everywhere = " everywhere we asked" if asked else ""
        return passed(
            ROUTING,
            self.host,
            f"Leads to {self.expected}{everywhere}.",
            expected=self.expected,
            found=troubles.shown(look.type, list(look.said)),
            source=server_names(self.delegation, look.said),
        )

    def _bogus(self, look: Look) -> CheckResult | None:
        if look.public_trouble != "bogus":
            return None
        return self._failed(Reasons.DNSSEC_BOGUS, found=look.values)

    def _broken_alias(self) -> CheckResult | None:
        """Aliases that no resolver follows to an end, or that may not be there."""
        aliases = self.seen.cname.values
        for answer in self.seen.a.said:
            names = (self.host, *answer.alias)
            if len(set(names)) < len(names) or len(answer.alias) > MOST_ALIASES:
                return self._failed(Reasons.ALIAS_LOOP, others=" → ".join(names))
        if aliases and self.is_top:
            return self._failed(Reasons.CNAME_AT_APEX, found=aliases)
        besides = (self.seen.a, self.seen.aaaa, *self.seen.others)
        others = [one.type for one in besides if _stands_itself(one)]
        if aliases and others:
            found = (*aliases, *self.seen.a.values)
            kinds = ", ".join(dict.fromkeys(others))
            return self._failed(Reasons.CNAME_BESIDE_OTHERS, found=found, others=kinds)
        return None

    def _wrong(self, said: tuple[Answer, ...]) -> CheckResult:
        aliases = tuple(dict.fromkeys(name for one in said for name in one.alias))
        values = tuple(sorted({value for one in said for value in one.values}))
        if not aliases and not values:
            return self._nothing_there()
        chance = self.seen.chance
        if chance is not None and (chance.values, _aliases(chance)) == (values, aliases):
            return self._failed(Reasons.WILDCARD_ONLY, found=values or aliases)
        return self._elsewhere(aliases, values)

    def _elsewhere(self, aliases: tuple[str, ...], values: tuple[str, ...]) -> CheckResult:
        zone, ours = self.delegation.zone, set(self.target.edge_addresses)
        for name in aliases:
            if reason := near_misses.target_fault(name, self.target.edge_host, zone):
                words = {"others": name, "fault": f"leads to {name}"}
                return self._failed(reason, found=(name,), **words)
        foreign = tuple(one for one in values if one not in ours)
        others = ", ".join(foreign or aliases)
        if set(values) & ours:
            return self._failed(Reasons.OLD_RECORD, type="A", found=values, others=others)
        if any(near_misses.address_fault(one, self.target.edge_addresses) for one in foreign):
            fault = f"has the address {others}"
            return self._failed(Reasons.MISTYPED_VALUE, type="A", found=values, fault=fault)
        operators = [network_of_name(one) for one in aliases]
        operators += [network_of_address(one) for one in foreign]
        if operator := next(filter(None, operators), ""):
            found = values or aliases
            return self._failed(Reasons.BEHIND_PROXY, found=found, operator=operator)
        private = [one for one in foreign if not is_public_address(one)]
        reason = Reasons.PRIVATE_ADDRESS if private else Reasons.FOREIGN_ADDRESS
        return self._failed(reason, found=(*aliases, *values), others=others)

    def _nothing_there(self) -> CheckResult:
        question, zone = self.question, self.delegation.zone
        places = near_misses.routing_places(self.host, question.domain, zone)
        reasons = {place.name: place.reason for place in places}
        for look in self.seen.beside:
            if look.name in reasons and any(leads_to(self.target, one) for one in look.said):
                reason, name = reasons[look.name], look.name
                return self._failed(reason, found=(name,), place=name, others=name)
        return self._failed(Reasons.MISSING_AT_AUTHORITY)

    def _failed(
        self, reason: Reasons, *, found: tuple[str, ...] = (), **values: Any
    ) -> CheckResult:
        return failed(
            ROUTING,
            self.host,
            reason,
            expected=self.host if "place" in values else self.expected,
            found=found,
            source=server_names(self.delegation, self.seen.a.said),
            **{**self._words(), **values},
        )

    def _words(self) -> dict[str, str]:
        return {
            "name": self.host,
            "label": records.short_label(self.host, self.delegation.zone),
            "value": self.expected,
            "type": "A" if self.is_top else "CNAME",
            "target": self.target.edge_host,
        }


def _stands_itself(look: Look) -> bool:
    """Whether there are records of this type at the name itself, not at the end of an alias."""
    return any(one.values and not one.alias for one in look.said)


def _aliases(look: Look) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in look.said for name in one.alias))
