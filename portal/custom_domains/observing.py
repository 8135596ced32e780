"""One round of looking at a domain: name servers, port 80, HTTPS. No database in here.

All of it within ROUND_SECONDS; each server has the resolver's own time-out. Public resolvers are
asked only for what the authorities already have, else they would remember that it is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from portal.adapters import CertificateProbe
from portal.custom_domains import near_misses, records
from portal.custom_domains.challenge_path import ask_challenge_path
from portal.custom_domains.hosts import DomainHost
from portal.custom_domains.identity import RootsOf, ask_identity
from portal.custom_domains.observations import (
    ChallengeAnswer,
    HostSeen,
    Identity,
    Look,
    Observations,
    Question,
)
from portal.custom_domains.routing import leads_to
from portal.dns import Answer, Resolver
from portal.dns.caa import CaaSet, relevant_caa
from portal.dns.wildcards import random_neighbour
from portal.outgoing import is_public_address
from portal.tls.probe import Probe

Result = TypeVar("Result")
ROUND_SECONDS = 10.0
PROBE_SECONDS = 3.5  # a probe is begun only while there is time for it


@dataclass(frozen=True)
class Outside:
    """What a round asks; `secret` is what our own answers on port 80 are recognised by.

    `roots_pem`: what our certificates are trusted by; None: the roots of the machine.
    """

    resolver: Resolver
    probe: CertificateProbe
    edge: tuple[str, int]
    http_port: int
    https_port: int
    allow_private_addresses: bool
    secret: str
    threads: Executor
    roots_pem: RootsOf = lambda: None

    def may_visit(self, address: str) -> bool:
        """Strangers choose where a name leads."""
        return self.allow_private_addresses or is_public_address(address)


def observe(question: Question, outside: Outside, now: datetime) -> Observations:
    """Everything that `diagnosis` wants to know; raises nothing for what servers do."""
    return _Round(question, outside, now, time.monotonic() + ROUND_SECONDS).observations()


@dataclass(frozen=True)
class _Round:
    question: Question
    outside: Outside
    now: datetime
    deadline: float

    def observations(self) -> Observations:
        question, resolver = self.question, self.outside.resolver
        delegation = resolver.delegation(question.proof_at, deadline=self.deadline)
        if question.refused or delegation.status != "found":
            return Observations(delegation)
        name = records.ownership_name(question.proof_at)
        top = self._soon(lambda: self._public(Look(delegation.zone, "SOA")))
        ownership = self._soon(
            lambda: self._look(name, "TXT", self._is_proof, was_there=question.is_verified)
        )
        hosts = [self._soon(self._host, host) for host in question.hosts]
        seen_ownership = ownership.result()
        observed = Observations(delegation, top.result(), seen_ownership)
        if not any(self._is_proof(one) for one in seen_ownership.said):
            observed = self._with_near_misses(observed)
        seen = [self._more(host.result()) for host in hosts]
        return replace(observed, hosts=tuple(self._visited(one) for one in seen))

    def _soon(self, ask: Callable[..., Result], *arguments: Any) -> Future[Result]:
        return self.outside.threads.submit(ask, *arguments)

    def _authority(self, name: str, type: str) -> Look:
        answers = self.outside.resolver.authority(name, type, deadline=self.deadline)
        return Look(name, type, answers)

    def _public(self, look: Look) -> Look:
        answers = self.outside.resolver.public(look.name, look.type, deadline=self.deadline)
        return replace(look, public=answers)

    def _look(
        self, name: str, type: str, is_right: Callable[[Answer], bool], *, was_there: bool
    ) -> Look:
        look = self._authority(name, type)
        known = was_there or any(is_right(one) for one in look.said)
        return self._public(look) if known else look

    def _all(self, lookups: Iterable[tuple[str, str]]) -> tuple[Look, ...]:
        waited = [self._soon(self._authority, name, type) for name, type in lookups]
        return tuple(one.result() for one in waited)

    def _is_proof(self, answer: Answer) -> bool:
        return records.ownership_value(self.question.token) in answer.values

    def _is_ours(self, answer: Answer) -> bool:
        return leads_to(self.question.target, answer)

    def _with_near_misses(self, observed: Observations) -> Observations:
        question, look = self.question, observed.ownership
        if look is None or not look.said or question.covered_by:
            return observed
        hosts = tuple(one.host for one in question.hosts)
        places = near_misses.ownership_places(question.proof_at, observed.delegation.zone, hosts)
        chance = (random_neighbour(look.name), "TXT")
        looks = self._all([chance, *((place.name, "TXT") for place in places)])
        return replace(observed, ownership_chance=looks[0], ownership_beside=looks[1:])

    def _host(self, host: DomainHost) -> HostSeen:
        """The first questions about a host, one after another: hosts are many, threads few."""
        question, name = self.question, host.host
        challenge = f"{records.CHALLENGE_LABEL}.{name}"
        if question.wildcard:
            challenge = f"{records.CHALLENGE_LABEL}.{question.domain}"
        return HostSeen(
            host,
            self.outside.resolver.delegation(name, deadline=self.deadline),
            cname=self._authority(name, "CNAME"),
            a=self._look(name, "A", self._is_ours, was_there=host.is_open),
            aaaa=self._authority(name, "AAAA"),
            caa=self._caa(name) if question.caa_domains else None,
            delegated_challenge=self._authority(challenge, "CNAME")
            if question.delegation
            else None,
        )

    def _caa(self, host: str) -> CaaSet:
        """The records that count, from the host up (RFC 8659 section 3)."""
        return relevant_caa(partial(self.outside.resolver.authority, deadline=self.deadline), host)

    def _more(self, seen: HostSeen) -> HostSeen:
        """What is asked only where the first answers leave a question open."""
        host, question = seen.host.host, self.question
        lookups: list[tuple[str, str]] = []
        if seen.cname.values:
            lookups = [(host, "TXT"), (host, "MX")]
        others = self._all(lookups)
        if not seen.a.said or any(self._is_ours(one) for one in seen.a.said):
            return replace(seen, others=others)
        places: tuple[near_misses.Place, ...] = ()
        if not any(one.values or one.alias for one in seen.a.said):
            zone = seen.delegation.zone
            places = near_misses.routing_places(host, question.domain, zone)
        chance = (random_neighbour(host), "A")
        looks = self._all([chance, *((place.name, "A") for place in places)])
        return replace(seen, others=others, chance=looks[0], beside=looks[1:])

    def _visited(self, seen: HostSeen) -> HostSeen:
        """As a certificate authority and a visitor see the host, where it leads to us."""
        if not seen.a.said or not all(self._is_ours(one) for one in seen.a.said):
            return seen
        addresses = [value for one in (*seen.a.public, *seen.a.said) for value in one.values]
        address = addresses[0] if addresses else ""
        challenge = self._soon(self._challenge, seen.host.host, address)
        edge = self._soon(self._handshake, seen.host, *self.outside.edge)
        visited = None
        if address and self.outside.may_visit(address):
            visited = self._soon(self._visit, seen.host, address)
        probe, identity = visited.result() if visited else (None, Identity())
        return replace(
            seen,
            challenge=challenge.result(),
            edge=edge.result(),
            visited=probe,
            visited_address=address,
            identity=identity,
        )

    def _challenge(self, host: str, address: str) -> ChallengeAnswer:
        if not self.question.needs_port_80 or not address or not self._has_time():
            return ChallengeAnswer()
        if not self.outside.may_visit(address):
            return ChallengeAnswer("private", address)
        return ask_challenge_path(
            host,
            address,
            self.outside.http_port,
            self.outside.secret,
            allow_private_addresses=self.outside.allow_private_addresses,
        )

    def _visit(self, host: DomainHost, address: str) -> tuple[Probe | None, Identity]:
        """The certificate, and who answers behind it where somebody should."""
        outside = self.outside
        probe = self._handshake(host, address, outside.https_port)
        if probe is None or not probe.ok or not host.is_open or not self._has_time():
            return probe, Identity()
        return probe, ask_identity(
            host.host,
            address,
            outside.https_port,
            outside.roots_pem,
            allow_private_addresses=outside.allow_private_addresses,
        )

    def _handshake(self, host: DomainHost, address: str, port: int) -> Probe | None:
        if not host.is_wanted_open or not self._has_time():
            return None
        return self.outside.probe(
            host.host, address, port, self.now, expected_chain_pem=host.chain_pem
        )

    def _has_time(self) -> bool:
        return time.monotonic() < self.deadline - PROBE_SECONDS
