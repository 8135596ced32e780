"""A real name server with zones to edit, and a broken one with switchable faults."""

import base64
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataset
import dns.rrset
import dns.tsig
import pytest

from portal.dns import Record
from portal.dns.local import LocalZoneEditor
from portal.dns.local_server import LocalNameServer
from portal.dns.zone import Zone
from portal.dns.zone_answers import ZoneAnswers

ZONE = "api.example.test"
KEY_NAME = "portal-key"
SECRET = base64.b64encode(b"a secret of thirty-two octets...").decode()
CUSTOMER_RECORDS = (
    Record("www.customer.test", "A", ("192.0.2.1", "192.0.2.2"), 120),
    Record("chat.customer.test", "CNAME", (f"edge.{ZONE}",), 30),
    Record("dangling.customer.test", "CNAME", (f"gone.{ZONE}",), 30),
    Record("foreign.customer.test", "CNAME", ("elsewhere.invalid",), 30),
    Record("loop1.customer.test", "CNAME", ("loop2.customer.test",), 30),
    Record("loop2.customer.test", "CNAME", ("loop1.customer.test",), 30),
    Record("*.wild.customer.test", "A", ("192.0.2.7",), 30),
    Record("*.alias.customer.test", "CNAME", (f"edge.{ZONE}",), 30),
    Record("long.customer.test", "TXT", tuple(f"{n:03d}" * 60 for n in range(30)), 30),
    Record("child.customer.test", "NS", ("ns.child.customer.test",), 30),
    Record("ns.child.customer.test", "A", ("192.0.2.53",), 30),
    Record("customer.test", "CAA", ('0 issue "ca.example.test"',), 30),
    Record(f"edge.{ZONE}", "A", ("127.0.0.1",), 60),
)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., LocalNameServer]]:
    started = []

    def start(port: int = 0, store: Path | None = None) -> LocalNameServer:
        server = LocalNameServer(
            [ZONE, "customer.test"],
            "127.0.0.1",
            port,
            store or tmp_path / "dns" / "zone.json",
            KEY_NAME,
            SECRET,
            CUSTOMER_RECORDS,
        )
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def server(start_server: Callable[..., LocalNameServer]) -> LocalNameServer:
    return start_server()


@pytest.fixture
def edit() -> Callable[..., LocalZoneEditor]:
    """An editor for a port; other settings on demand."""

    def editor(port: int, **settings: object) -> LocalZoneEditor:
        values = {"zone": ZONE, "key_name": KEY_NAME, "secret": SECRET, "timeout": 2.0, **settings}
        return LocalZoneEditor(server="127.0.0.1", port=port, **values)

    return editor


@pytest.fixture
def editor(server: LocalNameServer, edit: Callable[..., LocalZoneEditor]) -> LocalZoneEditor:
    return edit(server.port)


class FaultyServer:
    """Says that every name has the address 192.0.2.9, unless `fault` is set.

    Faults: servfail, refused, drop, drop_first, truncated, truncated_always, lame, wrong_id,
    garbage, no_recursion.
    """

    def __init__(self) -> None:
        self.fault = ""
        self.asked: list[str] = []
        outer = self

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire, listener = self.request
                answer = outer.reply(wire, "udp")
                if answer:
                    listener.sendto(answer, self.client_address)

        class Stream(socketserver.StreamRequestHandler):
            timeout = 2

            def handle(self) -> None:
                head = self.rfile.read(2)
                answer = outer.reply(self.rfile.read(struct.unpack("!H", head)[0]), "tcp")
                if answer:
                    self.wfile.write(struct.pack("!H", len(answer)) + answer)

        self.tcp = socketserver.TCPServer(("127.0.0.1", 0), Stream)
        self.port = self.tcp.server_address[1]
        self.udp = socketserver.UDPServer(("127.0.0.1", self.port), Datagram)
        self.threads = [
            threading.Thread(target=one.serve_forever, args=(0.01,)) for one in (self.udp, self.tcp)
        ]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        for one in (self.udp, self.tcp):
            one.shutdown()
            one.server_close()
        for thread in self.threads:
            thread.join()

    def reply(self, wire: bytes, by: str) -> bytes | None:
        self.asked.append(by)
        query = dns.message.from_wire(wire, keyring=lambda message, name: False)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        first = len(self.asked) == 1
        if self.fault == "drop" or (self.fault == "drop_first" and first):
            return None
        if self.fault in ("servfail", "refused"):
            response.set_rcode(dns.rcode.from_text(self.fault))
        elif self.fault == "lame":
            response.flags &= ~dns.flags.AA
            response.authority.append(dns.rrset.from_text(".", 60, "IN", "NS", "a.root.invalid."))
        elif self.fault == "truncated_always" or (self.fault == "truncated" and by == "udp"):
            response.flags |= dns.flags.TC
        else:
            name = query.question[0].name
            response.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.9"))
        if self.fault == "no_recursion":
            response.flags &= ~dns.flags.AA
        if self.fault == "garbage":
            return b"\x00" * 5
        if self.fault == "wrong_id":
            response.id = (query.id + 1) % 65536
        return response.to_wire()


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    server = FaultyServer()
    yield server
    server.stop()


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[int]:
    """The port of a server that says yes to every good update and serves what it served before."""
    origin = dns.name.from_text(ZONE)
    soa = dns.rdataset.from_text("IN", "SOA", 60, f"ns1.{ZONE}. host.{ZONE}. 1 60 60 60 5")
    key = dns.tsig.Key(KEY_NAME, SECRET, "hmac-sha256")
    served, forgotten = (
        ZoneAnswers({origin: Zone(origin, {origin: {soa.rdtype: soa}})}, key, lambda zones: None)
        for _ in range(2)
    )

    class Stream(socketserver.StreamRequestHandler):
        timeout = 2

        def handle(self) -> None:
            wire = self.rfile.read(struct.unpack("!H", self.rfile.read(2))[0])
            is_update = (wire[2] >> 3) & 0x0F == dns.opcode.UPDATE
            answer = (forgotten if is_update else served).reply(wire, tcp=True)
            if answer:
                self.wfile.write(struct.pack("!H", len(answer)) + answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Stream) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
