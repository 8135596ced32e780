"""Name servers to talk to: real BIND, knot and unbound, and one with switchable faults.

Loaded as a pytest plugin by the root conftest. All listen on loopback; several may share one port
on different addresses, because NS records carry no port.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import shutil
import socket
import socketserver
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest

from portal.dns.zone import Zone, look_up
from tests.peers import missing

KEY_NAME = "portal-key"
KEY_SECRET = base64.b64encode(b"thirty-two octets for the peers!").decode()
STARTS_WITHIN = 15.0
Fault = str | tuple[str, float]
CUT = ("tc", "tc_then_silence")
PASSING = {"flap": "servfail", "lose": "drop"}


def free_dns_port(hosts: Sequence[str] = ("127.0.0.1",)) -> int:
    """A port that is free for UDP and TCP on all these addresses."""
    for _ in range(100):
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            port = 0
            for host in hosts:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    one = held.enter_context(socket.socket(socket.AF_INET, kind))
                    one.bind((host, port))
                    port = one.getsockname()[1]
            return port
    raise AssertionError("no port is free for UDP and TCP")


def zone_text(origin: str, records: str, *, negative_ttl: int = 5, servers: str = "") -> str:
    """A zone file: its start of authority, name servers (one per line as `ns1 A 127.0.0.1`)."""
    servers = servers or "ns1 A 127.0.0.1"
    names = [line.split()[0] for line in servers.splitlines()]
    head = (
        f"$ORIGIN {origin}.\n$TTL 60\n@ SOA {names[0]} hostmaster 1 3600 600 86400 {negative_ttl}\n"
    )
    delegations = "".join(f"@ NS {name}\n" for name in dict.fromkeys(names))
    own = "".join(f"{line}\n" for line in servers.splitlines() if len(line.split()) > 1)
    return head + delegations + own + records


def zone_from(origin: str, text: str) -> Zone:
    """Our own picture of a zone file, which a test may spoil."""
    read = _read(origin, text)
    return Zone(read.origin, {name: dict(node) for name, node in read.nodes.items()})


@lru_cache(200)
def _read(origin: str, text: str) -> Zone:
    """Many tests begin with the same."""
    read = dns.zone.from_text(text, f"{origin}.", relativize=False, check_origin=False)
    nodes = {
        name.canonicalize(): {rdataset.rdtype: rdataset for rdataset in node}
        for name, node in read.nodes.items()
    }
    return Zone(dns.name.from_text(f"{origin}.").canonicalize(), nodes)


class FaultyAuthority:
    """Serves `zones` (origin to zone file); `faults` of (name or *, type or *) change that.

    Faults: servfail, refused, nxdomain, drop, tc, tc_always, tc_then_silence, lame, bad_id,
    garbage, wrong_question, ("delay", seconds), ("flap", questions that fail first), ("lose",
    questions that are dropped first), no_edns (FORMERR to whoever uses it), no_question (a bare
    FORMERR). With `recursive` it answers as a public resolver does; `bogus` fails unless checking
    is disabled.
    """

    def __init__(
        self, zones: Mapping[str, str], host: str, port: int, *, recursive: bool = False
    ) -> None:
        self.host, self.port, self.recursive = host, port, recursive
        self.faults: dict[tuple[str, str], Fault] = {}
        self.asked: list[tuple[str, str, str]] = []
        self._zones: dict[str, Zone] = {}
        self._failed: dict[tuple[str, str], int] = {}
        for origin, text in zones.items():
            self.serve(origin, text)
        self._servers = _listeners(self, host, port)
        self._threads = [
            threading.Thread(target=one.serve_forever, args=(0.02,)) for one in self._servers
        ]
        for thread in self._threads:
            thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self.host, self.port

    def serve(self, origin: str, text: str) -> None:
        """Take another content of the zone from now on."""
        self._zones[origin] = zone_from(origin, text)

    def stop(self) -> None:
        """End both listeners and their threads."""
        for one in self._servers:
            one.shutdown()
            one.server_close()
        for thread in self._threads:
            thread.join()

    def reply(self, wire: bytes, by: str) -> bytes | None:
        """The answer, spoilt as `faults` say; None for silence."""
        query = dns.message.from_wire(wire, keyring=lambda message, name: False)
        question = query.question[0]
        name = question.name.canonicalize().to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, by))
        fault, argument = self._fault(name, kind)
        if fault == "drop" or (fault == "tc_then_silence" and by == "tcp"):
            return None
        if fault == "delay":
            time.sleep(argument)
        response = self._truth(query)
        if fault == "no_edns" and query.edns >= 0:
            response.set_rcode(dns.rcode.FORMERR)
            response.use_edns(False)
            response.answer = []
        if fault == "bogus" and not query.flags & dns.flags.CD:
            fault = "servfail"
        return _spoilt(response, fault, by)

    def _fault(self, name: str, kind: str) -> tuple[str, float]:
        keys = ((name, kind), (name, "*"), ("*", kind), ("*", "*"))
        key = next((key for key in keys if key in self.faults), None)
        if key is None:
            return "", 0
        fault = self.faults[key]
        fault, argument = (fault, 0.0) if isinstance(fault, str) else fault
        if fault not in PASSING:
            return fault, argument
        self._failed[key] = self._failed.get(key, 0) + 1
        return (PASSING[fault] if self._failed[key] <= argument else ""), 0

    def _truth(self, query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=self.recursive)
        question = query.question[0]
        found = look_up(self._zones.values(), question.name.canonicalize(), question.rdtype)
        if self.recursive and found is not None and not found.authoritative:
            found = None  # delegated, and nobody there
        if found is None:
            response.set_rcode(dns.rcode.SERVFAIL if self.recursive else dns.rcode.REFUSED)
            return response
        if found.authoritative and not self.recursive:
            response.flags |= dns.flags.AA
        if not found.exists:
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.answer.extend(found.answer)
        response.authority.extend(found.authority)
        response.additional.extend(found.additional)
        return response


def _spoilt(response: dns.message.Message, fault: str, by: str) -> bytes:
    if fault in ("servfail", "refused", "nxdomain"):
        response.set_rcode(dns.rcode.from_text(fault))
        response.answer, response.authority = [], []
    elif fault == "lame":
        response.flags &= ~dns.flags.AA
        response.set_rcode(dns.rcode.NOERROR)
        response.answer = []
        response.authority = [dns.rrset.from_text(".", 60, "IN", "NS", "a.root.invalid.")]
    elif fault == "tc_always" or (fault in CUT and by == "udp"):
        response.flags |= dns.flags.TC
        response.answer, response.authority = [], []
    elif fault == "no_question":
        response.set_rcode(dns.rcode.FORMERR)
        response.question, response.answer = [], []
    elif fault == "garbage":
        return b"\x00" * 5
    elif fault == "bad_id":
        response.id = (response.id + 1) % 65536
    elif fault == "wrong_question":
        response.question[0].name = dns.name.from_text("other.invalid.")
    wire = response.to_wire(max_size=1232 if by == "udp" else 65535, prefer_truncation=True)
    return bytes(wire)


def _listeners(
    authority: FaultyAuthority, host: str, port: int
) -> tuple[socketserver.UDPServer, socketserver.TCPServer]:
    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, listener = self.request
            answer = authority.reply(wire, "udp")
            if answer:
                listener.sendto(answer, self.client_address)

    class Stream(socketserver.StreamRequestHandler):
        timeout = 2

        def handle(self) -> None:
            head = self.rfile.read(2)
            if len(head) < 2:
                return
            answer = authority.reply(self.rfile.read(struct.unpack("!H", head)[0]), "tcp")
            if answer:
                self.wfile.write(struct.pack("!H", len(answer)) + answer)

    class Tcp(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    class Udp(socketserver.ThreadingUDPServer):
        daemon_threads = True

    return Udp((host, port), Datagram), Tcp((host, port), Stream)


@pytest.fixture
def faulty_authority() -> Iterator[Callable[..., FaultyAuthority]]:
    """Start one: `faulty_authority({"customer.test": zone_text(...)}, "127.0.0.2", port)`."""
    started: list[FaultyAuthority] = []

    def start(
        zones: Mapping[str, str],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        recursive: bool = False,
    ) -> FaultyAuthority:
        port = port or free_dns_port([host])
        started.append(FaultyAuthority(zones, host, port, recursive=recursive))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@dataclasses.dataclass
class Peer:
    """A running name server; `zone_editor_settings` are those of the rfc2136 editor for a zone."""

    program: str
    host: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self.host, self.port

    def zone_editor_settings(self, zone: str) -> dict[str, str]:
        """The form of an rfc2136 editor."""
        return {
            "zone": zone,
            "server": self.host,
            "port": str(self.port),
            "key_name": KEY_NAME,
            "secret": KEY_SECRET,
        }

    def stop(self) -> None:
        """End it, and wait until it has."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


StartPeer = Callable[..., Peer]


@pytest.fixture
def start_bind(tmp_path: Path) -> Iterator[StartPeer]:
    """Start BIND with zones that the peers' key may edit: `start_bind({origin: zone text})`."""
    yield from _starter("bind", "named", tmp_path, _bind_files)


@pytest.fixture
def start_knot(tmp_path: Path) -> Iterator[StartPeer]:
    """Start knot with zones that the peers' key may edit."""
    yield from _starter("knot", "knotd", tmp_path, _knot_files)


@pytest.fixture
def start_unbound(tmp_path: Path) -> Iterator[StartPeer]:
    """Start unbound as a public resolver: `start_unbound({zone: (host, port)}, anchors=[...])`.

    It caches a "no" for at most 5 s, and validates where `anchors` (DNSKEY lines) are given.
    """
    yield from _starter("unbound", "unbound", tmp_path, _unbound_files)


@contextlib.contextmanager
def start_peers(peer: str, folder: Path) -> Iterator[StartPeer]:
    """`start_bind`, `start_knot` or `start_unbound` outside of a test."""
    program, files = {
        "bind": ("named", _bind_files),
        "knot": ("knotd", _knot_files),
        "unbound": ("unbound", _unbound_files),
    }[peer]
    yield from _starter(peer, program, folder, files)


def _starter(
    peer: str, program: str, folder: Path, files: Callable[..., list[str]]
) -> Iterator[StartPeer]:
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/usr/local/sbin:/usr/local/bin")
    if path is None:
        missing(peer, f"no {program} (Debian: apt install {DEBIAN[peer]})")
    started: list[Peer] = []

    def start(zones: Mapping[str, object], **options: object) -> Peer:
        own = folder / f"{peer}{len(started)}"
        own.mkdir()
        port = free_dns_port()
        arguments = files(own, port, zones, **options)
        log = own / "log"
        with log.open("wb") as out:
            process = subprocess.Popen([path, *arguments], cwd=own, stdout=out, stderr=out)
        started.append(Peer(peer, "127.0.0.1", port, process))
        _wait_until_it_answers(started[-1], next(iter(zones)), log)
        return started[-1]

    yield start
    for one in started:
        one.stop()


DEBIAN = {"bind": "bind9", "knot": "knot", "unbound": "unbound"}


def _wait_until_it_answers(peer: Peer, zone: str, log: Path) -> None:
    query = dns.message.make_query(zone, "SOA")
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and peer.process.poll() is None:
        with contextlib.suppress(OSError, dns.exception.DNSException):
            dns.query.udp(query, peer.host, port=peer.port, timeout=0.2)
            return
        time.sleep(0.02)
    raise AssertionError(f"{peer.program} does not answer:\n{log.read_text()[-2000:]}")


def _bind_files(folder: Path, port: int, zones: Mapping[str, str]) -> list[str]:
    parts = [
        f'options {{ directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }};'
        f" listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no;"
        f' pid-file "{folder}/pid"; session-keyfile "{folder}/session.key"; }};',
        "controls { };",
        f'key "{KEY_NAME}" {{ algorithm hmac-sha256; secret "{KEY_SECRET}"; }};',
    ]
    for origin, text in zones.items():
        (folder / f"{origin}.zone").write_text(text)
        parts.append(
            f'zone "{origin}" {{ type primary; file "{origin}.zone";'
            f" update-policy {{ grant {KEY_NAME} zonesub A AAAA CNAME TXT CAA NS; }}; }};"
        )
    (folder / "named.conf").write_text("\n".join(parts))
    return ["-g", "-n", "1", "-c", str(folder / "named.conf")]


KNOT = """server:
  rundir: "{folder}"
  listen: [ 127.0.0.1@{port} ]
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: warning
key:
  - id: {key}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: portal
    key: {key}
    action: [update]
database:
  storage: "{folder}"
zone:
"""


def _knot_files(folder: Path, port: int, zones: Mapping[str, str]) -> list[str]:
    text = KNOT.format(folder=folder, port=port, key=KEY_NAME, secret=KEY_SECRET)
    for origin, content in zones.items():
        (folder / f"{origin}.zone").write_text(content)
        text += (
            f'  - domain: {origin}\n    storage: "{folder}"\n    file: "{origin}.zone"\n'
            "    acl: [portal]\n    zonefile-sync: -1\n    zonefile-load: whole\n"
            "    journal-content: changes\n"
        )
    (folder / "knot.conf").write_text(text)
    return ["-c", str(folder / "knot.conf")]


UNBOUND = """server:
  directory: "{folder}"
  username: ""
  chroot: ""
  pidfile: ""
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  do-daemonize: no
  use-syslog: no
  logfile: ""
  verbosity: 1
  num-threads: 1
  do-not-query-localhost: no
  module-config: "{modules}"
  cache-max-negative-ttl: 5
  local-zone: "test." nodefault
  local-zone: "localhost." nodefault
  unblock-lan-zones: yes
  ede: yes
{anchors}
remote-control:
  control-enable: no
"""


def _unbound_files(
    folder: Path,
    port: int,
    zones: Mapping[str, tuple[str, int]],
    *,
    anchors: Sequence[str] = (),
) -> list[str]:
    (folder / "anchors").write_text("".join(f"{line}\n" for line in anchors))
    text = UNBOUND.format(
        folder=folder,
        port=port,
        modules="validator iterator" if anchors else "iterator",
        anchors=f'  trust-anchor-file: "{folder}/anchors"' if anchors else "",
    )
    for zone, (host, server_port) in zones.items():
        text += f'stub-zone:\n  name: "{zone}"\n  stub-addr: {host}@{server_port}\n'
    (folder / "unbound.conf").write_text(text)
    return ["-d", "-p", "-c", str(folder / "unbound.conf")]
