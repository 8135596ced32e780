"""The edge shows the right certificate at once, carries bytes, and leaves nothing behind."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.tls.local_edge import LocalEdge
from portal.tls.probe import probe

pytestmark = pytest.mark.engine_independent

HOST = "bot.api.example.test"
TOKEN = "internal-token"
GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


@pytest.fixture
def start_edge(portal: Any) -> Iterator[Callable[..., LocalEdge]]:
    started = []

    def start(**settings: Any) -> LocalEdge:
        backend = settings.pop("backend", portal.address)
        token = settings.pop("token", TOKEN)
        edge = LocalEdge("127.0.0.1", 0, backend, portal.certificate_url, token, **settings)
        started.append(edge)
        edge.start()
        return edge

    yield start
    for edge in started:
        edge.stop()


@pytest.fixture
def edge(start_edge: Callable[..., LocalEdge]) -> LocalEdge:
    return start_edge()


@pytest.fixture
def issue(portal: Any, root: Any) -> Callable[[str], None]:
    def for_name(name: str) -> None:
        portal.certificates[name] = "".join(root.issue(name))

    return for_name


@pytest.fixture
def connect(edge: LocalEdge, root: Any) -> Callable[..., ssl.SSLSocket]:
    def to_edge(
        name: str | None = HOST, context: ssl.SSLContext | None = None, **more: Any
    ) -> ssl.SSLSocket:
        context = context or ssl.create_default_context(cadata=root.pem)
        if name is None:
            context.check_hostname = False
        raw = socket.create_connection(("127.0.0.1", edge.port), 5)
        try:
            return context.wrap_socket(raw, server_hostname=name, **more)
        except OSError:
            raw.close()
            raise

    return to_edge


def reason_at(edge: LocalEdge, root: Any, name: str = HOST) -> str:
    return probe(name, "127.0.0.1", edge.port, datetime.now(UTC), root.pem).reason


def exchange(connection: ssl.SSLSocket, request: bytes = GET) -> bytes:
    with connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def test_a_deployed_name_is_served_over_tls(
    issue: Callable[[str], None], connect: Callable[..., ssl.SSLSocket]
) -> None:
    issue(HOST)
    assert exchange(connect()).endswith(f"hello {HOST}".encode())


def test_an_unknown_name_gets_the_alert_for_it(connect: Callable[..., ssl.SSLSocket]) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        connect("unknown.example.test")


def test_no_name_gets_the_same_alert(connect: Callable[..., ssl.SSLSocket]) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        connect(None)


def test_issuing_changing_and_withdrawing_count_at_the_next_handshake(
    edge: LocalEdge, portal: Any, root: Any, issue: Callable[[str], None]
) -> None:
    def serial() -> str:
        return probe(HOST, "127.0.0.1", edge.port, datetime.now(UTC), root.pem).serial

    assert reason_at(edge, root) == "no_certificate"
    issue(HOST)
    first = serial()
    issue(HOST)
    second = serial()
    del portal.certificates[HOST]

    assert len({first, second, ""}) == 3
    assert reason_at(edge, root) == "no_certificate"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_session_is_ever_resumed(
    issue: Callable[[str], None],
    connect: Callable[..., ssl.SSLSocket],
    root: Any,
    portal: Any,
    version: ssl.TLSVersion,
) -> None:
    issue(HOST)
    context = ssl.create_default_context(cadata=root.pem)
    context.maximum_version = version
    with connect(context=context) as first:
        first.sendall(GET)
        first.recv(1)
        session = first.session

    with connect(context=context, session=session) as second:
        assert not second.session_reused
        assert second.version() == version.name.replace("_", ".")
    assert portal.asked == [HOST, HOST]


def test_the_name_is_asked_for_in_lower_case(
    issue: Callable[[str], None], edge: LocalEdge, root: Any
) -> None:
    issue(HOST)
    assert reason_at(edge, root, HOST.upper()) == ""


def test_while_the_portal_is_away_the_last_answers_stay(
    edge: LocalEdge, portal: Any, root: Any, issue: Callable[[str], None]
) -> None:
    issue(HOST)
    reason_at(edge, root)
    reason_at(edge, root, "refused.example.test")
    portal.away = True

    assert reason_at(edge, root) == ""
    assert reason_at(edge, root, "refused.example.test") == "no_certificate"
    assert reason_at(edge, root, "never-asked.example.test") == "no_certificate"


def test_a_wrong_token_serves_nobody(
    start_edge: Callable[..., LocalEdge], root: Any, issue: Callable[[str], None]
) -> None:
    issue(HOST)
    assert reason_at(start_edge(token="wrong"), root) == "no_certificate"


def test_a_certificate_that_does_not_load_serves_nobody_and_stops_nothing(
    edge: LocalEdge, portal: Any, root: Any, issue: Callable[[str], None]
) -> None:
    issue(HOST)
    portal.certificates["broken.example.test"] = "no certificate at all"

    assert reason_at(edge, root, "broken.example.test") == "no_certificate"
    assert reason_at(edge, root) == ""


def test_a_web_process_that_is_away_is_a_502(
    start_edge: Callable[..., LocalEdge], root: Any, issue: Callable[[str], None]
) -> None:
    issue(HOST)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        edge = start_edge(backend=unused.getsockname())
        context = ssl.create_default_context(cadata=root.pem)
        raw = socket.create_connection(("127.0.0.1", edge.port), 5)
        answer = exchange(context.wrap_socket(raw, server_hostname=HOST))
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


def test_plain_http_is_told_to_use_https(edge: LocalEdge) -> None:
    with socket.create_connection(("127.0.0.1", edge.port), 5) as plain:
        plain.sendall(GET)
        assert plain.recv(4096).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_megabytes_pass_unchanged_in_both_directions(
    issue: Callable[[str], None], connect: Callable[..., ssl.SSLSocket]
) -> None:
    issue(HOST)
    body = bytes(range(256)) * 16384
    head = GET.decode().replace("GET", "POST").rstrip() + f"\r\nContent-Length: {len(body)}\r\n\r\n"

    answer = exchange(connect(), head.encode() + body)

    assert answer.partition(b"\r\n\r\n")[2] == body


def test_a_hundred_connections_at_once_are_served_and_leave_no_thread(
    edge: LocalEdge, issue: Callable[[str], None], connect: Callable[..., ssl.SSLSocket]
) -> None:
    issue(HOST)
    request = GET.replace(b"GET / ", b"GET /slow ")
    with ThreadPoolExecutor(100) as visitors:
        answers = list(visitors.map(lambda _: exchange(connect(), request), range(100)))

    assert [answer[-4:] for answer in answers] == [b"slow"] * 100
    wait_until(lambda: edge_threads() == 0)


def test_more_connections_than_allowed_wait_their_turn(
    start_edge: Callable[..., LocalEdge], root: Any, issue: Callable[[str], None]
) -> None:
    issue(HOST)
    edge = start_edge(max_connections=1)
    with socket.create_connection(("127.0.0.1", edge.port)):
        time.sleep(0.05)
        first = probe(HOST, "127.0.0.1", edge.port, datetime.now(UTC), root.pem, 0.2).reason
    assert first == "timeout"
    assert reason_at(edge, root) == ""


def test_an_idle_connection_is_closed(
    start_edge: Callable[..., LocalEdge], root: Any, issue: Callable[[str], None]
) -> None:
    issue(HOST)
    edge = start_edge(idle_timeout=0.1)
    context = ssl.create_default_context(cadata=root.pem)
    raw = socket.create_connection(("127.0.0.1", edge.port), 5)
    with context.wrap_socket(raw, server_hostname=HOST) as idle:
        assert idle.recv(1) == b""


def test_stopping_hangs_up_on_everybody_and_leaves_no_thread(
    start_edge: Callable[..., LocalEdge], root: Any, issue: Callable[[str], None]
) -> None:
    issue(HOST)
    edge = start_edge()
    context = ssl.create_default_context(cadata=root.pem)
    raw = socket.create_connection(("127.0.0.1", edge.port), 5)
    half_open = socket.create_connection(("127.0.0.1", edge.port), 5)
    with context.wrap_socket(raw, server_hostname=HOST) as visitor, half_open:
        begin = time.monotonic()
        edge.stop()
        assert time.monotonic() - begin < 1
        assert visitor.recv(1) == b""
    assert edge_threads() == 0


def edge_threads() -> int:
    return sum(thread.name == "edge-connection" for thread in threading.enumerate())


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 2
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
