"""One question by TCP without waiting (RFC 7766): for a selector's loop."""

import errno
import selectors
import socket
import struct


class SweepStream:
    """Connects at once; `advance` whenever the selector says so. Raises OSError where it fails."""

    def __init__(self, server: tuple[str, int], message: bytes) -> None:
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self._unsent = struct.pack("!H", len(message)) + message
        self._received = b""
        code = self.socket.connect_ex(server)
        if code not in (0, errno.EINPROGRESS):
            self.socket.close()
            raise OSError(code, "no connection")

    @property
    def waits_for(self) -> int:
        """The selector's event that lets it go on."""
        return selectors.EVENT_WRITE if self._unsent else selectors.EVENT_READ

    def advance(self) -> bytes | None:
        """Send or receive what is possible; the whole answer once it is there."""
        try:
            if self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
                return None
            part = self.socket.recv(65537)
        except BlockingIOError:
            return None
        if not part:
            raise OSError(errno.ECONNRESET, "the connection ended before the answer")
        self._received += part
        if len(self._received) < 2:
            return None
        size = struct.unpack_from("!H", self._received)[0]
        whole = len(self._received) >= 2 + size
        return self._received[2 : 2 + size] if whole else None

    def close(self) -> None:
        """Hang up."""
        self.socket.close()
