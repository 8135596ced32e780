"""The embedded authoritative name server: UDP and TCP on one port, dynamic updates, a file."""

import contextlib
import selectors
import socket
import socketserver
import struct
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import dns.name
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.tsig

from portal.dns import Record
from portal.dns.rfc2136 import ALGORITHM
from portal.dns.values import absolute_name, rdata_of
from portal.dns.zone import Zone, zone_of
from portal.dns.zone_answers import ZoneAnswers
from portal.dns.zone_store import load_zones, save_zones

TTL = 60
NEGATIVE_TTL = 5
SOA_TIMERS = f"3600 600 86400 {NEGATIVE_TTL}"
TCP_IDLE = 10.0
TCP_CONNECTIONS = 64
FREE_PORT_TRIES = 20
FEWEST_LABELS = 2  # a top-level domain's: its own and the root's


class LocalNameServer:
    """Authoritative for `zones`; what updates change is kept in `store` and survives a crash.

    `records` fill a zone when it is first made. `secret` is the TSIG key in base64 (HMAC-SHA256).
    With `on_demand` a signed update of any other zone (shop.test) makes that zone.
    """

    def __init__(
        self,
        zones: Sequence[str],
        host: str,
        port: int,
        store: Path,
        key_name: str,
        secret: str,
        records: Sequence[Record] = (),
        *,
        on_demand: bool = True,
    ) -> None:
        key = dns.tsig.Key(absolute_name(key_name), secret, ALGORITHM)
        content = _content(load_zones(store), zones, host, records)
        answers = ZoneAnswers(
            content,
            key,
            partial(save_zones, store),
            partial(_zone_on_demand, host if on_demand else ""),
        )
        self._udp, self._tcp = _listeners(host, port, answers)
        self.port: int = self._udp.server_address[1]
        self._wake, self._woken = socket.socketpair()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Answer in threads of this process; returns at once."""
        self._thread = threading.Thread(target=self.serve_forever, name="dns", daemon=True)
        self._thread.start()

    def serve_forever(self) -> None:
        """Answer until `stop` is called from another thread."""
        with selectors.DefaultSelector() as selector:
            for source in (self._udp, self._tcp, self._woken):
                selector.register(source, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._woken in ready:
                    return
                for listener in (self._udp, self._tcp):
                    if listener in ready:
                        listener.handle_request()

    def stop(self) -> None:
        """Stop answering, hang up on everybody and free the port; may be called twice."""
        with contextlib.suppress(OSError):
            self._wake.send(b"stop")
        if self._thread is not None:
            self._thread.join()
        for open_socket in (self._udp.socket, self._tcp.socket, self._wake, self._woken):
            open_socket.close()
        self._tcp.hang_up()


def _listeners(host: str, port: int, answers: ZoneAnswers) -> tuple["_UdpServer", "_TcpServer"]:
    """Both on one port; with port 0 on one that is free for both."""
    tries = 1 if port else FREE_PORT_TRIES
    while True:
        udp = _UdpServer((host, port), answers)
        tries -= 1
        try:
            return udp, _TcpServer((host, udp.server_address[1]), answers)
        except OSError:
            udp.server_close()
            if not tries:
                raise


class _UdpServer(socketserver.UDPServer):
    timeout = 0
    max_packet_size = 65535

    def __init__(self, address: tuple[str, int], answers: ZoneAnswers) -> None:
        self.answers = answers
        super().__init__(address, _Datagram)


class _TcpServer(socketserver.ThreadingTCPServer):
    timeout = 0
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], answers: ZoneAnswers) -> None:
        self.answers = answers
        self._free = threading.BoundedSemaphore(TCP_CONNECTIONS)
        self._open: set[socket.socket] = set()
        super().__init__(address, _Stream)

    def verify_request(self, request: object, client_address: object) -> bool:
        return self._free.acquire(blocking=False)

    def process_request_thread(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)
            self._free.release()

    def hang_up(self) -> None:
        """End every connection, so that its thread ends too."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Datagram(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        wire, listener = self.request
        answer = self.server.answers.reply(wire, tcp=False)
        if answer:
            with contextlib.suppress(OSError):
                listener.sendto(answer, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    server: _TcpServer
    timeout = TCP_IDLE

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while wire := self._message():
                answer = self.server.answers.reply(wire, tcp=True)
                if not answer:
                    return
                self.wfile.write(struct.pack("!H", len(answer)) + answer)

    def _message(self) -> bytes:
        head = self.rfile.read(2)
        return self.rfile.read(struct.unpack("!H", head)[0]) if len(head) == 2 else b""


def _content(
    stored: dict[dns.name.Name, Zone], zones: Sequence[str], host: str, records: Sequence[Record]
) -> dict[dns.name.Name, Zone]:
    content = dict(stored)
    for origin in map(absolute_name, zones):
        content[origin] = stored.get(origin) or _first_zone(origin, host)
    for record in records:
        zone = zone_of(content.values(), absolute_name(record.name))
        if zone is None or zone.origin in stored:
            continue
        content[zone.origin] = _with_record(zone, record)
    return content


def _zone_on_demand(host: str, origin: dns.name.Name) -> Zone | None:
    """A domain like shop.test; never a whole top-level domain."""
    return _first_zone(origin, host) if host and len(origin) > FEWEST_LABELS else None


def _first_zone(origin: dns.name.Name, host: str) -> Zone:
    apex = origin.to_text()
    address = "AAAA" if ":" in host else "A"
    start = f"ns1.{apex} hostmaster.{apex} 1 {SOA_TIMERS}"
    zone = Zone(
        origin, {origin: {dns.rdatatype.SOA: dns.rdataset.from_text("IN", "SOA", TTL, start)}}
    )
    zone = _with_record(zone, Record(apex, "NS", (f"ns1.{apex}",), TTL))
    return _with_record(zone, Record(f"ns1.{apex}", address, (host,), TTL))


def _with_record(zone: Zone, record: Record) -> Zone:
    name = absolute_name(record.name)
    rdataset = dns.rdataset.from_rdata_list(record.ttl, rdata_of(record))
    node = {**zone.nodes.get(name, {}), rdataset.rdtype: rdataset}
    return Zone(zone.origin, {**zone.nodes, name: node})
