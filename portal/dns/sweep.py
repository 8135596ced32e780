"""Tens of thousands of questions from one thread: UDP without waiting, each server for itself.

A question is sent again once, asked by TCP where its answer is cut, and given up after its time.
Memory is bounded by the questions on the way and BACKLOG that wait.
"""

import contextlib
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator

import dns.exception
import dns.message

from portal.dns import Answer
from portal.dns.ask import could_not_ask, read_response
from portal.dns.quick_wire import (
    answers_question,
    is_cut,
    numbered,
    question_wire,
    quick_answer,
    wants_no_edns,
    without_edns,
)
from portal.dns.sweep_servers import Asked, Question, Turns
from portal.dns.sweep_sockets import DatagramSockets, same_host
from portal.dns.sweep_streams import SweepStream
from portal.errors import AdapterError
from portal.outgoing import is_public_address

BACKLOG = 20_000
FIRST_TRY = 0.35
MOST_STREAMS = 64
WAITING = float("inf")  # sent when its turn for a stream comes
NOBODY_THERE = ("timeout", "unreachable")
DONE_AT_ONCE = 1000
Result = tuple[Question, Answer]


def ask_many(
    questions: Iterable[Question],
    *,
    in_flight: int = 1000,
    timeout: float = 3.0,
    allow_private_addresses: bool = False,
) -> Iterator[Result]:
    """Ask all and yield each question with its Answer as they come; `timeout` in seconds each.

    A server that never answers takes nobody's place: two questions of it are waited for, what
    else it should have been asked comes back at once. Private addresses are only asked as public
    resolvers, or if that is allowed.
    """
    sweep = _Sweep(iter(questions), in_flight, timeout, allow_private_addresses)
    try:
        yield from sweep.run()
    finally:
        sweep.close()


class _Sweep:
    def __init__(
        self, questions: Iterator[Question], in_flight: int, timeout: float, allow_private: bool
    ) -> None:
        self._questions: Iterator[Question] | None = questions
        self._timeout = timeout
        self._allow_private = allow_private
        self._turns = Turns(in_flight)
        self._selector = selectors.DefaultSelector()
        self._sockets = DatagramSockets(self._selector)
        self._asked: dict[tuple[int, int], Asked] = {}
        self._again: deque[Asked] = deque()
        self._expiring: deque[tuple[float, Asked]] = deque()
        self._cut: deque[Asked] = deque()
        self._streams: dict[int, SweepStream] = {}
        self._done: deque[Result] = deque()

    def run(self) -> Iterator[Result]:
        while True:
            self._fill()
            while self._done:
                yield self._done.popleft()
            if self._questions is None and not self._turns.on_the_way and not self._turns.waiting:
                return
            for key, _ in self._selector.select(self._pause()):
                if isinstance(key.data, Asked):
                    self._advance(key.data)
                else:
                    self._receive(key.data)
            self._look_at_the_clock(time.monotonic())

    def close(self) -> None:
        for stream in self._streams.values():
            stream.close()
        self._sockets.close()
        self._selector.close()

    def _fill(self) -> None:
        """Send what has its turn; what the caller has more of waits for it, up to BACKLOG."""
        while len(self._done) < DONE_AT_ONCE:
            taken = self._turns.take()
            if taken is not None:
                self._send_first(*taken)
            elif self._questions is None or self._turns.full or self._turns.waiting >= BACKLOG:
                return
            else:
                self._take_from_caller()

    def _take_from_caller(self) -> None:
        question = next(self._questions, None) if self._questions is not None else None
        if question is None:
            self._questions = None
        elif question.recursive or self._allow_private or is_public_address(question.server[0]):
            self._turns.add(question)
        else:
            words = f"{question.server[0]} is not an address on the public internet"
            self._done.append((question, could_not_ask(question.server, words)))

    def _send_first(self, question: Question, may_ask: bool) -> None:
        if not may_ask:
            words = "this server did not answer other questions either"
            self._done.append((question, could_not_ask(question.server, words, "timeout")))
            return
        asked = Asked(question, b"", time.monotonic())
        try:
            asked.wire = question_wire(
                question.name,
                question.type,
                recursive=question.recursive,
                checking=question.checking,
            )
            asked.key = self._sockets.free_key(question.server, self._asked)
            self._asked[asked.key] = asked
            self._sockets.send(asked.key, asked.wire, question.server)
        except (AdapterError, OSError) as error:
            words = error.detail if isinstance(error, AdapterError) else str(error)
            self._end(asked, could_not_ask(question.server, words))
        else:
            self._again.append(asked)
            self._expiring.append((asked.sent, asked))

    def _send_again(self, asked: Asked) -> None:
        with contextlib.suppress(OSError):
            self._sockets.send(asked.key, asked.wire, asked.question.server)

    def _receive(self, one: socket.socket) -> None:
        for key, sender, wire in self._sockets.receive(one):
            asked = self._asked.get(key)
            if asked is None or not answers_question(wire, asked.wire):
                continue
            if same_host(asked.question.server, sender):
                self._understand(asked, wire)

    def _understand(self, asked: Asked, wire: bytes, *, by_stream: bool = False) -> None:
        question = asked.question
        if is_cut(wire) and not by_stream:
            del self._asked[asked.key]
            if len(self._streams) < MOST_STREAMS:
                self._open_stream(asked)
            else:
                asked.sent = WAITING
                self._cut.append(asked)
            return
        if wants_no_edns(wire, asked.wire) and not by_stream:
            asked.wire = without_edns(asked.wire)
            self._send_again(asked)
            return
        answer = quick_answer(wire, asked.wire, question.server, recursive=question.recursive)
        if answer is None:
            try:
                answer = read_response(
                    dns.message.from_wire(wire), question.server, question.recursive, question.zone
                )
            except (dns.exception.DNSException, ValueError):
                return  # broken or forged: the true answer may still come
        self._end(asked, answer)

    def _end(self, asked: Asked, answer: Answer) -> None:
        if asked.done:
            return
        asked.done = True
        if self._asked.get(asked.key) is asked:
            del self._asked[asked.key]
        self._close_stream(asked)
        if answer.trouble in NOBODY_THERE:
            self._turns.silent(asked.question.server, asked.sent)
        else:
            self._turns.heard(asked.question.server, time.monotonic())
        self._done.append((asked.question, answer))

    def _open_waiting_streams(self) -> None:
        while self._cut and len(self._streams) < MOST_STREAMS:
            asked = self._cut.popleft()
            asked.sent = time.monotonic()
            self._expiring.append((asked.sent, asked))
            self._open_stream(asked)

    def _open_stream(self, asked: Asked) -> None:
        try:
            stream = SweepStream(asked.question.server, numbered(asked.wire, asked.key[1]))
        except OSError as error:
            self._end(asked, could_not_ask(asked.question.server, str(error)))
            return
        self._streams[id(asked)] = stream
        self._selector.register(stream.socket, stream.waits_for, asked)

    def _advance(self, asked: Asked) -> None:
        stream = self._streams.get(id(asked))
        if stream is None:
            return
        try:
            wire = stream.advance()
        except OSError as error:
            self._end(asked, could_not_ask(asked.question.server, str(error)))
            return
        if wire is None:
            self._selector.modify(stream.socket, stream.waits_for, asked)
        elif answers_question(wire, asked.wire):
            self._understand(asked, wire, by_stream=True)

    def _close_stream(self, asked: Asked) -> None:
        stream = self._streams.pop(id(asked), None)
        if stream is not None:
            self._selector.unregister(stream.socket)
            stream.close()
            self._open_waiting_streams()

    def _pause(self) -> float:
        """Until the next question is to be sent again or given up."""
        times = [self._again[0].sent + self._timeout * FIRST_TRY] if self._again else []
        times += [self._expiring[0][0] + self._timeout] if self._expiring else []
        return max(min(times, default=0.0) - time.monotonic(), 0.0)

    def _look_at_the_clock(self, now: float) -> None:
        early, late = now - self._timeout * FIRST_TRY, now - self._timeout
        while self._again and (self._again[0].done or self._again[0].sent <= early):
            asked = self._again.popleft()
            if not asked.done and self._asked.get(asked.key) is asked:
                self._send_again(asked)
        while self._expiring and (self._expiring[0][1].done or self._expiring[0][0] <= late):
            sent, asked = self._expiring.popleft()
            if not asked.done and sent == asked.sent:
                words = f"no usable answer within {self._timeout:g} s"
                self._end(asked, could_not_ask(asked.question.server, words, "timeout"))
