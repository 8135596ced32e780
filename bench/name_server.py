"""A name server that answers every TXT question after a delay, and never for names like dead7.….

`python -m bench.name_server PORT MILLISECONDS`; hand-written, so that it is not what is measured.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from collections import deque

VALUE = b"portal-verify=bench"
TXT = b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c"
RDATA = len(VALUE).to_bytes(1) + VALUE
ANSWER = TXT + (len(RDATA)).to_bytes(2) + RDATA


def answer(wire: bytes) -> bytes:
    """Authoritative and resolving, one TXT record; the question ends before its EDNS record."""
    end = wire.index(b"\x00", 12) + 5
    head = wire[:2] + b"\x85\x80\x00\x01\x00\x01\x00\x00\x00\x00"
    return head + wire[12:end] + ANSWER


def serve(port: int, delay: float) -> None:
    """Until killed. The listener for TCP only tells that it is there."""
    listener = socket.create_server(("127.0.0.1", port))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
    datagrams.bind(("127.0.0.1", port))
    datagrams.setblocking(False)
    waiting: deque[tuple[float, bytes, tuple[str, int]]] = deque()
    with listener, datagrams, selectors.DefaultSelector() as selector:
        selector.register(datagrams, selectors.EVENT_READ)
        while True:
            pause = max(waiting[0][0] - time.monotonic(), 0) if waiting else None
            selector.select(pause)
            take(datagrams, waiting, time.monotonic() + delay)
            while waiting and waiting[0][0] <= time.monotonic():
                _, wire, sender = waiting.popleft()
                datagrams.sendto(answer(wire), sender)


def take(
    datagrams: socket.socket,
    waiting: deque[tuple[float, bytes, tuple[str, int]]],
    due: float,
) -> None:
    """What has come in; dead names are forgotten at once."""
    while True:
        try:
            wire, sender = datagrams.recvfrom(4096)
        except BlockingIOError:
            return
        if wire[13:17] != b"dead":
            waiting.append((due, wire, sender))


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]) / 1000)
