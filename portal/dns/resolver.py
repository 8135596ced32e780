"""A resolver that is told whom to ask: authorities for the truth, public ones for the view.

For set-ups where every name lies in zones of our own; `discovery` finds anybody's.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from portal.dns import Answer, Delegation
from portal.dns.ask import ask
from portal.dns.large_numbers import one_by_one

Servers = tuple[tuple[str, int], ...]


class AddressedResolver:
    """Asks each of the given (address, port) at most `timeout` seconds, all at the same time."""

    def __init__(
        self,
        authorities: Sequence[tuple[str, int]],
        public: Sequence[tuple[str, int]],
        timeout: float = 3.0,
    ) -> None:
        self._authorities: Servers = tuple(authorities)
        self._public: Servers = tuple(public)
        self._timeout = timeout

    def delegation(self, name: str, *, deadline: float | None = None) -> Delegation:
        """The given authorities, whatever the name is."""
        return Delegation("found", name, tuple((host, host) for host, _ in self._authorities))

    def ask_each(self, lookups: Sequence[tuple[str, str]]) -> list[Answer]:
        """One answer for each (name, type), one after the other."""
        return one_by_one(self, lookups)

    def authority(
        self, name: str, type: str, *, deadline: float | None = None
    ) -> tuple[Answer, ...]:
        """The answers of the zone's own servers, in the order given; recursion is not asked for."""
        return self._ask_each(self._authorities, name, type, recursive=False)

    def public(self, name: str, type: str, *, deadline: float | None = None) -> tuple[Answer, ...]:
        """The answers of the public resolvers, in the order given."""
        return self._ask_each(self._public, name, type, recursive=True)

    def _ask_each(
        self, servers: Servers, name: str, type: str, *, recursive: bool
    ) -> tuple[Answer, ...]:
        question = partial(ask, name=name, type=type, recursive=recursive, timeout=self._timeout)
        if len(servers) < 2:
            return tuple(question(server) for server in servers)
        with ThreadPoolExecutor(len(servers), thread_name_prefix="resolver") as threads:
            return tuple(threads.map(question, servers))
