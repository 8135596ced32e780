"""The resolver of the local environment: the embedded name server first, then the world."""

from collections.abc import Sequence

from portal.dns import Answer, Delegation, Resolver
from portal.dns.ask import UNREACHABLE, ask
from portal.dns.asking import Address
from portal.dns.referral import zone_around
from portal.dns.sweep import ask_many
from portal.dns.sweep_servers import Question

NOT_SERVED = ("lame", "refused")


class EmbeddedFirstResolver:
    """Asks `server` about the zones that it serves, and `elsewhere` about everything else."""

    def __init__(self, server: Address, elsewhere: Resolver, *, timeout: float = 3.0) -> None:
        self._server = server
        self._elsewhere = elsewhere
        self._timeout = timeout

    def delegation(self, name: str, *, deadline: float | None = None) -> Delegation:
        """The zone of `name` on the embedded server, else wherever it is."""
        zone = self._zone_of(name)
        if not zone:
            return self._elsewhere.delegation(name, deadline=deadline)
        return Delegation("found", zone, (("the embedded name server", self._server[0]),))

    def authority(
        self, name: str, type: str, *, deadline: float | None = None
    ) -> tuple[Answer, ...]:
        """What the embedded server says, where the zone is one of its own."""
        answer = ask(self._server, name, type, recursive=False, timeout=self._timeout)
        if answer.trouble not in NOT_SERVED:
            return (answer,)
        return self._elsewhere.authority(name, type, deadline=deadline)

    def public(self, name: str, type: str, *, deadline: float | None = None) -> tuple[Answer, ...]:
        """Nobody else sees the zones of the embedded server."""
        if self._zone_of(name):
            return ()
        return self._elsewhere.public(name, type, deadline=deadline)

    def ask_each(self, lookups: Sequence[tuple[str, str]]) -> list[Answer]:
        """The embedded server's answers, and others for what is in none of its zones."""
        questions = [Question(name, type, self._server) for name, type in lookups]
        asked = ask_many(questions, timeout=self._timeout, allow_private_addresses=True)
        found = {(one.name, one.type): answer for one, answer in asked}
        foreign = [one for one in lookups if found[one].trouble in NOT_SERVED]
        found |= zip(foreign, self._elsewhere.ask_each(foreign), strict=True)
        return [found[one] for one in lookups]

    def _zone_of(self, name: str) -> str:
        """The embedded server's zone around a name; empty where it has none."""
        try:
            return zone_around(self._server, name, self._timeout)
        except UNREACHABLE:
            return ""
