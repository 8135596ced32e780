"""The resolver that finds the servers of anybody's zone and follows aliases from zone to zone."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

from portal.dns import Answer, Delegation, suffixes
from portal.dns.ask import chain_words, leads_nowhere
from portal.dns.asking import Address, Asking, best_of
from portal.dns.large_numbers import shared_out
from portal.dns.sweep_servers import Question
from portal.dns.values import absolute_name, plain_name
from portal.dns.zone_finder import ServedZone, ZoneFinder

Look = Callable[[str, str], tuple[ServedZone, Answer | None]]
WHOLE_LOOK = 10.0  # seconds for all that one question needs, unless a deadline is given


class DiscoveringResolver:
    """Asks public resolvers for the way, and the servers of each zone for the truth.

    `known` maps zones to the servers that are asked without discovery. `authority_port` stands in
    for the port that NS records do not carry. `timeout` in seconds for each server.
    """

    def __init__(
        self,
        public: Sequence[Address],
        *,
        authority_port: int = 53,
        known: Mapping[str, Sequence[Address]] | None = None,
        timeout: float = 3.0,
        allow_private_addresses: bool = False,
    ) -> None:
        suffixes.load()
        self._asking = Asking(
            public, timeout=timeout, allow_private_addresses=allow_private_addresses
        )
        self._zones = ZoneFinder(self._asking, authority_port=authority_port, known=known or {})

    def delegation(self, name: str, *, deadline: float | None = None) -> Delegation:
        """The zone that `name` lies in and its servers, found from the parent down."""
        return self._zones.find(name, _end(deadline)).delegation

    def authority(
        self, name: str, type: str, *, deadline: float | None = None
    ) -> tuple[Answer, ...]:
        """The truth now, one answer for each server of the zone; never empty."""
        return self._authority(plain_name(absolute_name(name)), type, _end(deadline))

    def public(self, name: str, type: str, *, deadline: float | None = None) -> tuple[Answer, ...]:
        """What visitors see, one answer for each public resolver; none for known zones."""
        if self._zones.known_servers(name):
            return ()
        lookup, end = [(name, type)], _end(deadline)
        (answers,) = self._asking.resolvers_each(lookup, end)
        if not any(answer.trouble == "servfail" for answer in answers):
            return answers
        (unchecked,) = self._asking.resolvers_each(lookup, end, checking=False)
        (again,) = self._asking.resolvers_each(lookup, end)
        return tuple(map(_judged, answers, unchecked, again))

    def ask_each(self, lookups: Sequence[tuple[str, str]]) -> list[Answer]:
        """One answer for each (name, type) of thousands: a public resolver's, asked only once.

        Names of known zones are asked of their servers.
        """
        public = [one for one in lookups if not self._zones.known_servers(one[0])]
        answers = dict(zip(public, shared_out(self._asking.resolvers, public), strict=True))
        return [answers.get(one) or self.authority(*one)[0] for one in lookups]

    def _authority(self, name: str, type: str, deadline: float) -> tuple[Answer, ...]:
        zone = self._zones.find(name, deadline)
        answers = self._ask_zone(zone, name, type, deadline)
        look = cache(partial(self._look, type=type, deadline=deadline))
        return tuple(_followed(name, answer, zone, look) for answer in answers)

    def _look(
        self, target: str, asked: str, *, type: str, deadline: float
    ) -> tuple[ServedZone, Answer | None]:
        """The zone of an alias and the best its servers say; nothing where those were `asked`."""
        there = self._zones.find(target, deadline)
        if there.found and there.delegation.zone == asked:
            return there, None
        return there, best_of(self._ask_zone(there, target, type, deadline))

    def _ask_zone(
        self, zone: ServedZone, name: str, type: str, deadline: float
    ) -> tuple[Answer, ...]:
        if not zone.found:
            return _nobody_to_ask(zone.delegation)
        within = zone.delegation.zone
        questions = [Question(name, type, one, zone=within) for one in zone.addresses]
        return self._asking.each(questions, deadline, ours=zone.local)


def _followed(name: str, answer: Answer, zone: ServedZone, look: Look) -> Answer:
    """The answer with what lies at the end of its aliases, in whatever zone that is."""
    while answer.alias and answer.status in ("no_record", "no_name"):
        if leads_nowhere(name, answer.alias):
            return replace(answer, status="no_record", detail=chain_words(name, answer.alias))
        zone, said = look(answer.alias[-1], zone.delegation.zone)
        if said is None:
            return answer
        answer = _joined(answer, said)
        if not said.alias:
            return answer
    return answer


def _joined(answer: Answer, target: Answer) -> Answer:
    last = answer.alias[-1]
    detail = target.detail
    if target.status == "could_not_ask":
        detail = f"{last}: {detail}"
    return replace(
        target,
        server=answer.server,
        alias=answer.alias + target.alias,
        ttl=max((ttl for ttl in (answer.ttl, target.ttl) if ttl is not None), default=None),
        detail=detail or (f"an alias of {last}" if target.status != "found" else ""),
    )


def _nobody_to_ask(delegation: Delegation) -> tuple[Answer, ...]:
    if delegation.status == "no_name":
        return (Answer("no_name", detail=delegation.detail),)
    trouble = delegation.trouble or "unreachable"
    failed = Answer("could_not_ask", detail=delegation.detail, trouble=trouble)
    servers = [address for _, address in delegation.servers] or [""]
    return tuple(replace(failed, server=server) for server in servers)


def _judged(answer: Answer, unchecked: Answer, again: Answer) -> Answer:
    """A failure that ends when signatures are not checked, and only then, is theirs."""
    if answer.trouble != "servfail" or again.trouble != "servfail":
        return again if answer.trouble == "servfail" else answer
    if unchecked.status == "could_not_ask":
        return answer
    values = ", ".join(unchecked.values)[:200] or unchecked.status.replace("_", " ")
    words = f"{answer.detail}; without checking signatures it answers: {values}"
    return replace(answer, detail=words, trouble="bogus")


def _end(deadline: float | None) -> float:
    return time.monotonic() + WHOLE_LOOK if deadline is None else deadline
