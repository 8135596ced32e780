"""The one guarded door to addresses that strangers choose.

A name is resolved once, every address it has is checked, and the connection goes to the checked
address while Host, SNI and certificate check keep the name: nothing can change in between.
Redirects are for callers to refuse; the pool follows none by itself with `redirect=False`.
"""

import atexit
import ipaddress
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NewConnectionError
from urllib3.util import Url, parse_url
from urllib3.util.connection import create_connection

from portal.errors import AdapterError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
ALLOWED_PORTS = frozenset({443})
CONNECTIONS_PER_HOST = 64
MOST_PLACES = 32
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
V4_COMPATIBLE = ipaddress.IPv6Network("::/96")
# Not for the public either, but missing in some Pythons' tables
FORBIDDEN = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


def check_url(
    url: str, allow_private: bool, *, allowed_ports: frozenset[int] = ALLOWED_PORTS
) -> Url:
    """The parsed URL if it may be called; raises AdapterError (`bad_url`, `forbidden_address`).

    Without `allow_private` only https on the allowed ports. The host is resolved and checked at
    each connection, not here, so this asks no name server.
    """
    try:
        parsed = parsed_url(url)
    except LocationParseError as error:
        raise _bad_url(f"{url}: not a URL") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise _bad_url(f"{url}: needs http or https and a host")
    if parsed.auth:
        raise _bad_url("a URL with a user name or password in it")
    if not allow_private:
        _check_public(parsed, allowed_ports)
    return parsed


@lru_cache(maxsize=1024)
def parsed_url(url: str) -> Url:
    """A URL in its parts; each prompt asks for the same few. Raises LocationParseError."""
    return parse_url(url)


def is_public_address(text: str) -> bool:
    """Whether the whole internet means the same machine by this address; False for no address."""
    try:
        address = _unmapped(ipaddress.ip_address(text))
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and any(address in net for net in FORBIDDEN):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def checked_addresses(host: str, port: int, allow_private: bool) -> list[str]:
    """All addresses of `host`; AdapterError `forbidden_address` if one is private, OSError if none.

    One private address among public ones is refused too: which one is used would be chance.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    private = [address for address in addresses if not is_public_address(address)]
    if private and not allow_private:
        raise _forbidden(f"{host} has the address {private[0]}")
    return addresses


class Call:
    """One exchange that any thread may break off, whatever it waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.aborted = False
        self.reused = False

    def attach(self, used: socket.socket | None, *, reused: bool) -> None:
        """Remember the socket of this exchange; called by the connection."""
        with self._lock:
            self._socket, self.reused = used, reused
            if self.aborted:
                self._shut_down()

    def finish(self) -> None:
        """The exchange is over and its connection may serve another: nothing left to abort."""
        with self._lock:
            self._socket = None

    def limit_wait(self, seconds: float) -> None:
        """Wait no longer than this for each of the bytes still to come."""
        with self._lock:
            if self._socket is not None:
                try:
                    self._socket.settimeout(seconds)
                except OSError:  # closed with the last byte, as `Connection: close` wants it
                    self._socket = None

    def abort(self) -> None:
        """Hang up: whoever reads or writes on this exchange is woken with an error or an end."""
        with self._lock:
            self.aborted = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            try:
                # the socket's own, not ssl's: that one would wait for the reader to let go
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                self._socket = None


_current = threading.local()


@contextmanager
def watched(call: Call) -> Iterator[None]:
    """Requests that this thread sends inside the block can be aborted through `call`."""
    _current.call = call
    try:
        yield
    finally:
        _current.call = None


def pool(allow_private: bool) -> urllib3.PoolManager:
    """The connections of this process; those of a parent process are never used."""
    return _pool_of_process(os.getpid(), allow_private)


class _GuardedConnection(HTTPConnection):
    """Connects to checked addresses only, and tells a watched call which socket it uses."""

    allow_private = False
    _carried_one = False
    _is_beginning = False
    _head = b""

    def _new_conn(self) -> socket.socket:
        host = self._dns_host.strip("[]")
        try:
            addresses = checked_addresses(host, self.port, self.allow_private)
        except OSError as error:
            raise NewConnectionError(self, f"{host} has no address: {error}") from error
        return self._connect_to_one_of(addresses)

    def _connect_to_one_of(self, addresses: list[str]) -> socket.socket:
        trouble: OSError = OSError("no address")
        for address in addresses:
            try:
                return create_connection(
                    (address, self.port), self.timeout, socket_options=self.socket_options
                )
            except TimeoutError as error:
                message = f"no connection to {address} within {self.timeout} s"
                raise ConnectTimeoutError(self, message) from error
            except OSError as error:
                trouble = error
        raise NewConnectionError(self, str(trouble)) from trouble

    def request(self, *args: Any, **options: Any) -> None:
        """Send a request (as urllib3 has it); the thread's watched call learns its socket."""
        call: Call | None = getattr(_current, "call", None)
        if call is not None:
            reused = self.sock is not None and self._carried_one
            if self.sock is None:
                self.connect()
            call.attach(self.sock, reused=reused)
        self._carried_one = True
        self._is_beginning, self._head = True, b""
        super().request(*args, **options)
        if self._head:
            self.send(b"")

    def send(self, data: Any) -> None:
        """A request's head leaves with the first part of its body, in one piece."""
        if self._is_beginning:
            self._is_beginning, self._head = False, data
            return
        if self._head and isinstance(data, bytes):
            data, self._head = self._head + data, b""
        elif self._head:
            head, self._head = self._head, b""
            super().send(head)
        super().send(data)


class _GuardedTLSConnection(_GuardedConnection, HTTPSConnection):
    """The same over TLS: certificate and SNI are those of the name, whatever the address."""


Place = tuple[str, str, int, bool]


class KeptConnections:
    """Idle connections of this process, each to one place: scheme, host, port, private or not.

    For those who send much to a few places, where a whole pool's comfort costs more than the
    request. One that went stale while idle fails at its next request; the taker asks for a fresh
    one then.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Place, list[HTTPConnection]] = {}
        self._process = os.getpid()

    def take(self, place: Place, *, fresh: bool = False) -> HTTPConnection:
        """A connection for one request; it is the taker's until `give_back`."""
        with self._lock:
            if self._process != os.getpid():  # a fork's: the parent reads from those
                self._idle, self._process = {}, os.getpid()
            idle = self._idle.get(place)
            if idle and not fresh:
                return idle.pop()
        scheme, host, port, allow_private = place
        return _connection_class(scheme == "https", allow_private)(host, port)

    def give_back(self, place: Place, connection: HTTPConnection) -> None:
        """Keep it for another request; one too many is closed, and the oldest place of too many."""
        with self._lock:
            idle = self._idle.setdefault(place, [])
            spare = [connection] if len(idle) >= CONNECTIONS_PER_HOST else []
            if not spare:
                idle.append(connection)
            if len(self._idle) > MOST_PLACES:
                spare += self._idle.pop(next(iter(self._idle)))
        for one in spare:
            one.close()

    def close(self) -> None:
        """Close what is idle; the process ends."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()


KEPT = KeptConnections()
atexit.register(KEPT.close)


def place_of(url: Url, allow_private: bool) -> Place:
    """Where a checked URL leads."""
    port = url.port or (443 if url.scheme == "https" else 80)
    return str(url.scheme), str(url.host).strip("[]"), port, allow_private


@cache
def _connection_class(secure: bool, allow_private: bool) -> type[HTTPConnection]:
    guarded = _GuardedTLSConnection if secure else _GuardedConnection
    return type(guarded.__name__, (guarded,), {"allow_private": allow_private})


def _pool_class(
    pool_class: type[HTTPConnectionPool], secure: bool, allow_private: bool
) -> type[HTTPConnectionPool]:
    guarded = _connection_class(secure, allow_private)
    return type(pool_class.__name__, (pool_class,), {"ConnectionCls": guarded})


@cache
def _pool_of_process(process: int, allow_private: bool) -> urllib3.PoolManager:
    manager = urllib3.PoolManager(num_pools=32, maxsize=CONNECTIONS_PER_HOST, retries=False)
    manager.pool_classes_by_scheme = {
        "http": _pool_class(HTTPConnectionPool, False, allow_private),
        "https": _pool_class(HTTPSConnectionPool, True, allow_private),
    }
    return manager


def _check_public(url: Url, allowed_ports: frozenset[int]) -> None:
    if url.scheme != "https":
        raise _bad_url(f"{url.host}: only https is allowed")
    if (url.port or 443) not in allowed_ports:
        raise _bad_url(f"{url.host}: port {url.port} is not allowed")


def _unmapped(address: Address) -> Address:
    """The IPv4 address inside: mapped, compatible, 6to4 (RFC 3056), NAT64 (RFC 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64 or (address in V4_COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _bad_url(detail: str) -> AdapterError:
    return AdapterError(
        "This address cannot be used.", reason="bad_url", permanent=True, detail=detail
    )


def _forbidden(detail: str) -> AdapterError:
    return AdapterError(
        "This address is not on the public internet.",
        reason="forbidden_address",
        permanent=True,
        detail=detail,
    )
