"""The one door to strangers' addresses: what is not public is never reached."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import urllib3

from portal import outgoing
from portal.errors import AdapterError

pytestmark = pytest.mark.engine_independent

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"]
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - only asked about, never bound to
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2001:db8::1",
    "3fff::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::10.0.0.1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "not an address",
    "",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_public_internet_is_public(address: str) -> None:
    assert outgoing.is_public_address(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_other_address_is_public_in_any_disguise(address: str) -> None:
    assert not outgoing.is_public_address(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://example.com:22/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com",
        "example.com",
        "https://",
        "https://user:password@example.com/",
        "https://exa mple.com/",
        "https://[::1/",
        "https://example.com:99999/",
        "",
    ],
)
def test_a_url_that_may_not_be_called_is_refused(url: str) -> None:
    with pytest.raises(AdapterError) as caught:
        outgoing.check_url(url, allow_private=False)
    assert (caught.value.reason, caught.value.permanent) == ("bad_url", True)
    assert "password" not in caught.value.detail.replace("user name or password", "")


def test_a_url_that_may_be_called_is_taken_apart() -> None:
    assert outgoing.check_url("https://example.com/v1", allow_private=False).host == "example.com"
    assert outgoing.check_url("http://localhost:9361/v1", allow_private=True).port == 9361
    ports = frozenset({443, 8443})
    outgoing.check_url("https://example.com:8443/", allow_private=False, allowed_ports=ports)


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.headers["Host"].encode()
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_private_address_is_never_connected_to(
    server: ThreadingHTTPServer, host: str, scheme: str
) -> None:
    url = f"{scheme}://{host}:{server.server_port}/"
    with pytest.raises(AdapterError) as caught:
        outgoing.pool(allow_private=False).request("GET", url)
    assert (caught.value.reason, caught.value.permanent) == ("forbidden_address", True)


def test_a_private_address_is_reached_where_that_is_allowed(server: ThreadingHTTPServer) -> None:
    url = f"http://localhost:{server.server_port}/"
    answer = outgoing.pool(allow_private=True).request("GET", url)
    assert answer.data == f"localhost:{server.server_port}".encode()


def test_a_redirect_is_answered_not_followed(server: ThreadingHTTPServer) -> None:
    url = f"http://127.0.0.1:{server.server_port}/away"
    answer = outgoing.pool(allow_private=True).request("GET", url, redirect=False)
    assert answer.status == 302


def test_a_name_without_an_address_is_a_connection_error() -> None:
    with pytest.raises(urllib3.exceptions.NewConnectionError, match="has no address"):
        outgoing.pool(allow_private=True).request("GET", "http://no-such-host.invalid/")


def resolving_to(*addresses: str) -> Callable[..., list[Any]]:
    kind = socket.SOCK_STREAM
    return lambda *_, **__: [(socket.AF_INET, kind, 6, "", (address, 0)) for address in addresses]


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("8.8.8.8", "10.0.0.1"))
    with pytest.raises(AdapterError) as caught:
        outgoing.checked_addresses("example.com", 443, allow_private=False)
    assert caught.value.detail == "example.com has the address 10.0.0.1"


def test_the_connection_goes_to_the_checked_address_whatever_the_name_says_next(
    monkeypatch: pytest.MonkeyPatch, server: ThreadingHTTPServer
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *rest: Any, **more: Any) -> Any:
        if host != "rebinding.test":
            return real(host, *rest, **more)
        asked.append(host)
        return resolving_to("127.0.0.1" if len(asked) == 1 else "10.0.0.1")()

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = f"http://rebinding.test:{server.server_port}/"

    answer = outgoing.pool(allow_private=True).request("GET", url)

    assert answer.data == f"rebinding.test:{server.server_port}".encode()
    assert asked == ["rebinding.test"]


def test_the_pools_for_private_and_public_are_apart_and_kept() -> None:
    assert outgoing.pool(True) is outgoing.pool(True)
    assert outgoing.pool(True) is not outgoing.pool(False)


def test_a_call_aborted_before_it_has_a_socket_hangs_up_as_soon_as_it_has() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        call = outgoing.Call()
        call.abort()
        call.attach(ours, reused=False)
        assert theirs.recv(1) == b""


def test_a_finished_call_leaves_its_connection_alone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        call = outgoing.Call()
        call.attach(ours, reused=False)
        call.finish()
        call.abort()
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"


def test_connections_are_kept_for_a_few_places_only() -> None:
    kept = outgoing.KeptConnections()
    places: list[outgoing.Place] = [
        ("http", f"h{number}", 80, True) for number in range(outgoing.MOST_PLACES + 1)
    ]
    given = [kept.take(place) for place in places]
    for place, connection in zip(places, given, strict=True):
        kept.give_back(place, connection)
    assert kept.take(places[0]) is not given[0], "the oldest place is forgotten"
    assert kept.take(places[1]) is given[1]
    assert kept.take(places[-1], fresh=True) is not given[-1]


def test_of_one_place_no_more_connections_are_kept_than_are_needed() -> None:
    kept, place = outgoing.KeptConnections(), ("http", "h", 80, True)
    many = [kept.take(place) for _ in range(outgoing.CONNECTIONS_PER_HOST + 1)]
    for connection in many:
        kept.give_back(place, connection)
    again = [kept.take(place) for _ in many]
    assert set(again) & set(many) == set(many[:-1])


END = b"0\r\n\r\n"


class Sent:
    """A socket that remembers what it was given at once."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def settimeout(self, seconds: float | None) -> None:
        """Nothing here waits."""

    def sendall(self, data: bytes) -> None:
        self.pieces.append(bytes(data))


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"abc", [b"abc"]), (None, [b""]), (iter([b"ab", b"c"]), [b"2\r\nab\r\n", b"1\r\nc\r\n"])],
    ids=["octets", "nothing", "parts"],
)
def test_head_and_body_of_a_request_are_one_piece(body: Any, expected: list[bytes]) -> None:
    connection = outgoing.KEPT.take(("http", "127.0.0.1", 1, True), fresh=True)
    sent = Sent()
    connection.sock = sent  # type: ignore[assignment]
    connection.request("POST", "/", body, {"A": "b"})
    head, _, first = sent.pieces[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert [first, *sent.pieces[1:]] == (expected if len(expected) == 1 else [*expected, END])
