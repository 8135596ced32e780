"""A resolver that asks given servers directly: authorities for the truth, public for the view.

Finding the servers of a foreign zone comes later and fits behind the same two verbs.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from portal.dns import Answer
from portal.dns.ask import ask

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
