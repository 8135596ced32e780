"""The datagram sockets of a sweep: several ports, random numbers, nobody else's answers."""

import ipaddress
import os
import selectors
import socket
from collections.abc import Container, Iterator

from portal.dns.quick_wire import numbered

Address = tuple[str, int]
Key = tuple[int, int]
PORTS = 8  # for each family, so that answers are hard to forge
RECEIVE_BUFFER = 4 * 1024 * 1024
LONGEST_DATAGRAM = 4096
DATAGRAMS_AT_ONCE = 512


def family_of(server: Address) -> int:
    """IPv6 or IPv4, by the look of the address."""
    return socket.AF_INET6 if ":" in server[0] else socket.AF_INET


class DatagramSockets:
    """Each opened when it is first drawn, and registered with the selector as its own data."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._opened: dict[tuple[int, int], socket.socket] = {}
        self._by_file: dict[int, socket.socket] = {}

    def free_key(self, server: Address, taken: Container[Key]) -> Key:
        """A socket and a message number that nobody can guess and that is not `taken`."""
        family = family_of(server)
        while True:
            drawn = os.urandom(3)
            place = family, drawn[0] % PORTS
            one = self._opened.get(place) or self._open(place)
            key = one.fileno(), int.from_bytes(drawn[1:])
            if key not in taken:
                return key

    def send(self, key: Key, wire: bytes, server: Address) -> None:
        """Send, or drop where the buffer is full, as the way to the server might too."""
        try:
            self._by_file[key[0]].sendto(numbered(wire, key[1]), server)
        except BlockingIOError:
            return

    def receive(self, one: socket.socket) -> Iterator[tuple[Key, Address, bytes]]:
        """What has come in: the key it claims, its sender, its octets."""
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                wire, sender = one.recvfrom(LONGEST_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:  # an error about an earlier datagram
                continue
            yield (one.fileno(), int.from_bytes(wire[:2])), sender[:2], wire

    def close(self) -> None:
        """Close them all."""
        for one in self._by_file.values():
            one.close()

    def _open(self, place: tuple[int, int]) -> socket.socket:
        one = self._opened[place] = socket.socket(place[0], socket.SOCK_DGRAM)
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        one.bind(("", 0))
        self._by_file[one.fileno()] = one
        self._selector.register(one, selectors.EVENT_READ, one)
        return one


def same_host(server: Address, sender: Address) -> bool:
    """Whether the datagram came from where the question went."""
    if server == sender:
        return True
    if server[1] != sender[1]:
        return False
    return ipaddress.ip_address(server[0]) == ipaddress.ip_address(sender[0].partition("%")[0])
