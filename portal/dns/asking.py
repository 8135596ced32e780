"""Questions to several servers at the same time, within one deadline, and to no private address."""

import socket
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Literal

from portal.dns import Answer
from portal.dns.ask import ask, could_not_ask
from portal.dns.referral import Referral, referral
from portal.dns.threads import AskingThreads
from portal.outgoing import is_public_address

Address = tuple[str, int]
TOO_LATE = "no time was left to ask it"


class Asking:
    """`timeout` in seconds for each server; deadlines are times of time.monotonic()."""

    def __init__(
        self, public: Sequence[Address], *, timeout: float, allow_private_addresses: bool
    ) -> None:
        self.resolvers = tuple(public)
        self._timeout = timeout
        self._allow_private = allow_private_addresses
        self._threads = AskingThreads()

    def resolvers_each(
        self, lookups: Sequence[tuple[str, str]], deadline: float, *, checking: bool = True
    ) -> list[tuple[Answer, ...]]:
        """For each (name, type) the answers of all public resolvers, in their order."""
        asks = [
            _in_time(server, partial(_recursive, server, name, type, checking))
            for name, type in lookups
            for server in self.resolvers
        ]
        answers = self._threads.each(asks, self._timeout, deadline)
        count = len(self.resolvers)
        return [answers[at * count : (at + 1) * count] for at in range(len(lookups))]

    def recursive(self, name: str, type: str, deadline: float) -> Answer:
        """The best that the public resolvers say, signatures or not."""
        (answers,) = self.resolvers_each([(name, type)], deadline, checking=False)
        nobody = Answer("could_not_ask", detail="there is no public resolver to ask")
        return best_of(answers) if answers else nobody

    def authorities_each(
        self,
        servers: Sequence[Address],
        name: str,
        type: str,
        *,
        zone: str,
        local: bool,
        deadline: float,
    ) -> tuple[Answer, ...]:
        """The answers of a zone's servers; `local` ones are asked whatever their address is."""
        asks = [
            _in_time(server, partial(_direct, server, name, type, zone))
            if local or self.may_ask(server)
            else partial(_refused, server)
            for server in servers
        ]
        return self._threads.each(asks, self._timeout, deadline)

    def referral(self, servers: Sequence[Address], name: str, deadline: float) -> Referral:
        """What the first of these servers that can say tells about a zone cut at `name`."""
        said = Referral("could_not_ask")
        for server in servers:
            (said,) = self._threads.each([partial(_refer, server, name)], self._timeout, deadline)
            if said.said != "could_not_ask":
                break
        return said

    def may_ask(self, server: Address) -> bool:
        """Whether its address is a public one, or private ones are allowed."""
        return self._allow_private or is_public_address(server[0])


def best_of(answers: Sequence[Answer]) -> Answer:
    """The answer that says most: values before a no, a no before "could not ask"."""
    order = ("found", "no_record", "no_name", "could_not_ask")
    return min(answers, key=lambda answer: order.index(answer.status))


@cache
def address_types() -> tuple[Literal["A", "AAAA"], ...]:
    """Which addresses this machine has a route to."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.connect(("2001:db8::1", 53))  # sends nothing
    except OSError:
        return ("A",)
    return ("A", "AAAA")


def _in_time(server: Address, ask_it: Callable[[float], Answer]) -> Callable[[float], Answer]:
    return lambda left: ask_it(left) if left > 0 else could_not_ask(server, TOO_LATE, "timeout")


def _recursive(server: Address, name: str, type: str, checking: bool, timeout: float) -> Answer:
    return ask(server, name, type, recursive=True, timeout=timeout, checking=checking)


def _direct(server: Address, name: str, type: str, zone: str, timeout: float) -> Answer:
    return ask(server, name, type, recursive=False, timeout=timeout, zone=zone)


def _refused(server: Address, timeout: float) -> Answer:
    return could_not_ask(server, f"{server[0]} is not an address on the public internet")


def _refer(server: Address, name: str, timeout: float) -> Referral:
    return referral(server, name, timeout) if timeout > 0 else Referral("could_not_ask")
