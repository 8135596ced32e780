"""Questions to several servers at the same time, within one deadline, and to no private address."""

import socket
import time
from collections.abc import Sequence
from functools import cache
from typing import Literal

from portal.dns import Answer
from portal.dns.ask import could_not_ask
from portal.dns.referral import Referral, referral
from portal.dns.sweep import ask_many
from portal.dns.sweep_servers import Question
from portal.outgoing import is_public_address

Address = tuple[str, int]
TOO_LATE = "no time was left to ask it"


class Asking:
    """`timeout` in seconds for each server; deadlines are times of time.monotonic().

    Each caller's thread asks all its servers itself, so no caller waits for another's slow ones.
    """

    def __init__(
        self, public: Sequence[Address], *, timeout: float, allow_private_addresses: bool
    ) -> None:
        self.resolvers = tuple(public)
        self._timeout = timeout
        self._allow_private = allow_private_addresses

    def resolvers_each(
        self, lookups: Sequence[tuple[str, str]], deadline: float, *, checking: bool = True
    ) -> list[tuple[Answer, ...]]:
        """For each (name, type) the answers of all public resolvers, in their order."""
        questions = [
            Question(name, type, server, recursive=True, checking=checking)
            for name, type in lookups
            for server in self.resolvers
        ]
        answers = self.each(questions, deadline)
        count = len(self.resolvers)
        return [answers[at * count : (at + 1) * count] for at in range(len(lookups))]

    def recursive(self, name: str, type: str, deadline: float) -> Answer:
        """The best that the public resolvers say, signatures or not."""
        (answers,) = self.resolvers_each([(name, type)], deadline, checking=False)
        nobody = Answer("could_not_ask", detail="there is no public resolver to ask")
        return best_of(answers) if answers else nobody

    def each(
        self, questions: Sequence[Question], deadline: float, *, ours: bool = False
    ) -> tuple[Answer, ...]:
        """An answer for each question, in their order; `ours` are asked at any address."""
        left = min(self._timeout, deadline - time.monotonic())
        if left <= 0:
            return tuple(could_not_ask(one.server, TOO_LATE, "timeout") for one in questions)
        allowed = ours or self._allow_private
        asked = ask_many(questions, timeout=left, allow_private_addresses=allowed)
        found = {id(question): answer for question, answer in asked}
        return tuple(found[id(question)] for question in questions)

    def referral(self, servers: Sequence[Address], name: str, deadline: float) -> Referral:
        """What the first of these servers that can say tells about a zone cut at `name`."""
        for server in servers:
            left = min(self._timeout, deadline - time.monotonic())
            said = referral(server, name, left) if left > 0 else Referral("could_not_ask")
            if said.said != "could_not_ask":
                return said
        return Referral("could_not_ask")

    def may_ask(self, server: Address) -> bool:
        """Whether its address is a public one, or private ones are allowed."""
        return self._allow_private or is_public_address(server[0])


def best_of(answers: Sequence[Answer]) -> Answer:
    """The answer that says most: values before a no, a no before "could not ask"."""
    order = ("found", "no_record", "no_name", "could_not_ask")
    return min(answers, key=lambda answer: order.index(answer.status))


@cache
def address_types() -> tuple[Literal["A", "AAAA"], ...]:
    """Which addresses this machine can reach: IPv6 only from a public address of its own."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.connect(("2001:db8::1", 53))  # sends nothing
            source: str = probe.getsockname()[0]
    except OSError:
        return ("A",)
    return ("A", "AAAA") if is_public_address(source) else ("A",)
