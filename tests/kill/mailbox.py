"""A mail server (RFC 5321, as little as it takes) that keeps every letter that it has accepted."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage

ANSWERS = {b"EHLO": "250 mailbox", b"MAIL": "250 sender", b"RCPT": "250 recipient"}


class _Talk(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._say("220 mailbox")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"QUIT":
                return self._say("221 bye")
            if verb == b"DATA":
                self._say("354 go on")
                if not self._take():
                    return None
            self._say(ANSWERS.get(verb, "250 taken"))
        return None

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _take(self) -> bool:
        lines = []
        while line := self.rfile.readline():
            if line == b".\r\n":
                found = message_from_bytes(b"".join(lines), policy=policy.default)
                assert isinstance(found, EmailMessage)
                self.server.letters.append(found)
                return True
            lines.append(line.removeprefix(b"."))
        return False


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    letters: list[EmailMessage]

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asked was killed."""


class Mailbox:
    """Listens on loopback; `letters` are those that were accepted whole."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Talk)
        self.letters = self._server.letters = []
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}?from=portal@example.com"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        """Close the listener; its thread ends."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
