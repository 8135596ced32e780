"""Whose turn it is in a sweep: each server has a window, and a dead one takes nobody's place."""

from collections import deque
from dataclasses import dataclass, field

Address = tuple[str, int]
FIRST_WINDOW, ENOUGH_SILENCES = 2, 2  # of a stranger's server
OUR_FIRST_WINDOW, OUR_ENOUGH_SILENCES = 64, 200  # of a public resolver, where names may be dead
LARGEST_WINDOW = 256
STEP_BACK = 8  # questions less at a time after each silence


@dataclass(frozen=True)
class Question:
    """What to ask whom. `recursive`: the server is a public resolver, chosen by ourselves.

    With `zone` only what the server says about names in that zone is believed; without `checking`
    a public resolver leaves signatures alone.
    """

    name: str
    type: str
    server: Address
    recursive: bool = False
    zone: str | None = None
    checking: bool = True


@dataclass
class Asked:
    """A question on its way; `sent` by time.monotonic()."""

    question: Question
    wire: bytes
    sent: float
    key: tuple[int, int] = (0, 0)
    done: bool = False


@dataclass
class Server:
    """One server's questions. It has proved itself once it has answered at all."""

    first_window: int
    enough_silences: int
    window: int
    waiting: deque[Question] = field(default_factory=deque)
    on_the_way: int = 0
    silences: int = 0
    last_heard: float = 0.0
    stands_in: deque["Server"] | None = None

    @property
    def proved(self) -> bool:
        """Whether it has answered at all."""
        return self.last_heard > 0

    @property
    def given_up(self) -> bool:
        """Whether nobody seems to be there."""
        return self.silences >= self.enough_silences

    @property
    def may_be_asked(self) -> bool:
        """Whether one more of its questions may be on the way; fewer while it keeps silent."""
        most = max(self.window - self.silences, self.first_window // 2)
        return bool(self.waiting) and self.on_the_way < most


class Turns:
    """Servers take turns; those that never answered together have half of the places at most."""

    def __init__(self, in_flight: int) -> None:
        self._places = in_flight
        self._servers: dict[Address, Server] = {}
        self._proved: deque[Server] = deque()
        self._new: deque[Server] = deque()
        self._dropped: deque[Question] = deque()
        self._new_on_the_way = 0
        self.on_the_way = 0
        self.waiting = 0

    @property
    def full(self) -> bool:
        """Whether nothing more may be on the way."""
        return self.on_the_way >= self._places

    def add(self, question: Question) -> None:
        """Let the question wait for its server's turn."""
        server = self._servers.get(question.server)
        if server is None:
            server = self._servers[question.server] = _server_for(question)
        self.waiting += 1
        if server.given_up:
            self._dropped.append(question)
        else:
            server.waiting.append(question)
            self._stand_in(server)

    def take(self) -> tuple[Question, bool] | None:
        """The next question and whether to ask it at all: a dead server's are not; None: wait."""
        if self._dropped:
            self.waiting -= 1
            return self._dropped.popleft(), False
        server = self._next_server() if not self.full else None
        if server is None:
            return None
        question = server.waiting.popleft()
        self.waiting -= 1
        self._count(server, 1)
        self._stand_in(server)
        return question, True

    def heard(self, address: Address, now: float) -> None:
        """An answer came: the server may have one question more at a time."""
        server = self._servers[address]
        self._count(server, -1)
        if not server.proved:
            self._new_on_the_way -= server.on_the_way
        server.last_heard, server.silences = now, 0
        server.window = min(server.window + 1, LARGEST_WINDOW)
        self._stand_in(server)

    def silent(self, address: Address, sent: float) -> None:
        """No answer came to what was sent then. It says nothing of a server heard since."""
        server = self._servers[address]
        self._count(server, -1)
        server.window = max(server.window - STEP_BACK, server.first_window)
        if server.last_heard < sent:
            server.silences += 1
        if server.given_up:
            self._dropped.extend(server.waiting)
            server.waiting.clear()
        self._stand_in(server)

    def _next_server(self) -> Server | None:
        queues = [self._proved]
        if self._new_on_the_way < max(self._places // 2, 1):
            queues.append(self._new)
        for queue in queues:
            while queue:
                server = queue.popleft()
                if server.stands_in is queue:
                    server.stands_in = None
                    if server.may_be_asked:
                        return server
        return None

    def _stand_in(self, server: Server) -> None:
        """At the end of its queue, once; it leaves that of the new ones when it has proved."""
        queue = self._proved if server.proved else self._new
        if server.may_be_asked and server.stands_in is not queue:
            server.stands_in = queue
            queue.append(server)

    def _count(self, server: Server, change: int) -> None:
        server.on_the_way += change
        self.on_the_way += change
        if not server.proved:
            self._new_on_the_way += change


def _server_for(question: Question) -> Server:
    if question.recursive:
        return Server(OUR_FIRST_WINDOW, OUR_ENOUGH_SILENCES, OUR_FIRST_WINDOW)
    return Server(FIRST_WINDOW, ENOUGH_SILENCES, FIRST_WINDOW)
