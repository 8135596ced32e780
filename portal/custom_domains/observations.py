"""What was asked and answered about a domain, before anybody judges it. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from portal.custom_domains.hosts import DomainHost
from portal.custom_domains.records import Target
from portal.dns import Answer, Delegation, Trouble
from portal.dns.caa import CaaSet
from portal.tls.probe import Probe

Challenge = Literal[
    "not_asked", "ours", "closed", "timeout", "unreachable", "redirected", "other", "private"
]


@dataclass(frozen=True)
class Look:
    """One question, answered by the zone's own servers and by public resolvers."""

    name: str
    type: str
    authority: tuple[Answer, ...] = ()
    public: tuple[Answer, ...] = ()

    @property
    def said(self) -> tuple[Answer, ...]:
        """The authorities that said yes or no, be it by an alias whose end cannot be seen."""
        return tuple(one for one in self.authority if one.alias or one.status != "could_not_ask")

    @property
    def values(self) -> tuple[str, ...]:
        """All values that any authority has, sorted."""
        return tuple(sorted({value for one in self.authority for value in one.values}))

    @property
    def trouble(self) -> Answer | None:
        """The first failure, if no authority said yes or no."""
        return None if self.said or not self.authority else self.authority[0]

    @property
    def public_trouble(self) -> Trouble:
        """Why no public resolver could answer; empty where one did, or none was asked."""
        if not self.public or any(one.status != "could_not_ask" for one in self.public):
            return ""
        bogus = [one for one in self.public if one.trouble == "bogus"]
        return (bogus or list(self.public))[0].trouble or "unreachable"


@dataclass(frozen=True)
class ChallengeAnswer:
    """What came back from port 80 of an address that the host has."""

    outcome: Challenge = "not_asked"
    address: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Identity:
    """The client that a host says it answers for; `detail`: why it said none, if it was asked."""

    public_id: str = ""
    detail: str = ""


@dataclass(frozen=True)
class HostSeen:
    """All that was found about one host; `delegation` is that of the zone it lies in itself."""

    host: DomainHost
    delegation: Delegation
    cname: Look
    a: Look
    aaaa: Look
    others: tuple[Look, ...] = ()
    chance: Look | None = None
    beside: tuple[Look, ...] = ()
    caa: CaaSet | None = None
    challenge: ChallengeAnswer = field(default_factory=ChallengeAnswer)
    delegated_challenge: Look | None = None
    visited: Probe | None = None
    visited_address: str = ""
    identity: Identity = field(default_factory=Identity)
    edge: Probe | None = None


@dataclass(frozen=True)
class Question:
    """Everything that a check has to know beforehand; no row, so threads may carry it.

    `ownership_at` and `covered_by` as in records.Wish. `holder_wins_until`: another account holds
    the name, and its proof stands until then at least; `held_by_other` alone: without an end.
    `wished_at`: when looks were last wished for, to notice wishes that came during the round.
    `we_publish`: an editor of ours enters what is missing.
    `caa_domains`: by what name a CAA record allows our authority; empty: nobody is asked.
    """

    domain: str
    token: str
    hosts: tuple[DomainHost, ...]
    target: Target
    ownership_at: str = ""
    covered_by: str = ""
    is_verified: bool = False
    held_by_other: bool = False
    holder_wins_until: datetime | None = None
    wildcard: bool = False
    delegation: bool = False
    challenge_label: str = ""
    caa_domains: tuple[str, ...] = ()
    needs_port_80: bool = True
    refused: str = ""
    editor_trouble: str = ""
    we_publish: bool = False
    wished_at: tuple[datetime | None, ...] = ()

    @property
    def proof_at(self) -> str:
        """The domain whose owner decides."""
        return self.ownership_at or self.domain


@dataclass(frozen=True)
class Observations:
    """What one round found."""

    delegation: Delegation
    top: Look | None = None
    ownership: Look | None = None
    ownership_beside: tuple[Look, ...] = ()
    ownership_chance: Look | None = None
    hosts: tuple[HostSeen, ...] = ()


def server_names(delegation: Delegation, answers: Iterable[Answer]) -> str:
    """Who answered, by name where the delegation tells it."""
    known: dict[str, str] = {}
    for name, address in delegation.servers:
        known.setdefault(address, name)
    shown = [known.get(_address(one.server), one.server) for one in answers if one.server]
    return ", ".join(dict.fromkeys(shown))


def _address(server: str) -> str:
    """The server's address without the port that unusual ones carry."""
    host, _, port = server.rpartition(":")
    return host if host and port.isdigit() and ":" not in host.strip("[]") else server
