"""How answers leave: in one piece where they are short, part by part where they are not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import RequestParser
from gunicorn.http.wsgi import create

from portal.web_worker import OnePiece

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


class Connection:
    """Remembers what was sent at once."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(bytes(data))

    def fileno(self) -> int:
        return len(self.sent)


def test_head_and_body_are_one_piece() -> None:
    connection = Connection()
    answer = OnePiece(connection)
    answer.sendall(HEAD)
    assert connection.sent == []
    answer.sendall(b"body")
    answer.sendall(b"and more")
    answer.flush()
    assert connection.sent == [HEAD + b"body", b"and more"]


def test_a_head_without_a_body_leaves_at_the_end() -> None:
    connection = Connection()
    answer = OnePiece(connection)
    answer.sendall(HEAD)
    answer.flush()
    answer.flush()
    assert connection.sent == [HEAD]


def test_nothing_overtakes_the_head() -> None:
    """What sends a file by the number of the connection comes after it."""
    connection = Connection()
    answer = OnePiece(connection)
    answer.sendall(HEAD)
    assert answer.fileno() == 1, "the head had left before the number was told"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(5)
        yield ours, theirs


@pytest.mark.parametrize("parts", [[b"one"], [b"one", b"two"], [b"x" * 100_000], []])
def test_gunicorn_answers_through_it(
    pair: tuple[socket.socket, socket.socket], parts: list[bytes]
) -> None:
    ours, theirs = pair
    theirs.sendall(b"GET / HTTP/1.1\r\nHost: portal.test\r\n\r\n")
    config = Config()
    request: Any = next(RequestParser(config, ours, ("127.0.0.1", 1)))
    answer = OnePiece(ours)
    response, _ = create(request, answer, ("127.0.0.1", 1), ("127.0.0.1", 80), config)
    read = b""

    def reads() -> None:
        nonlocal read
        while piece := theirs.recv(65_536):
            read += piece

    reader = threading.Thread(target=reads)
    reader.start()
    response.start_response("200 OK", [("Content-Length", str(sum(map(len, parts))))])
    for part in parts:
        response.write(part)
    response.close()
    answer.flush()
    ours.shutdown(socket.SHUT_WR)
    reader.join(5)
    head, _, body = read.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body == b"".join(parts)
