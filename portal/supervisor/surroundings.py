"""What has to be true before anything starts: a folder of our own, and free ports."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

DEFAULT_PORT = 9357
LOOPBACK = "127.0.0.1"
# In the order of their ports: each follows the one before unless its variable is set.
PORT_VARIABLES = (
    "PORTAL_PORT",
    "PORTAL_INTERNAL_PORT",
    "PORTAL_EDGE_PORT",
    "PORTAL_DNS_PORT",
    "PORTAL_DEMO_PORT",
)
UDP_TOO = "PORTAL_DNS_PORT"


class StartError(Exception):
    """The one sentence that says why the portal does not start."""


@dataclass(frozen=True)
class Surroundings:
    """Where the portal keeps its data and which ports it takes."""

    data_dir: Path
    ports: dict[str, int]
    environ: Mapping[str, str]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], root: Path) -> Surroundings:
        """Raises StartError for a port that is not a number from 1 to 65535."""
        data_dir = root / Path(environ.get("PORTAL_DATA_DIR") or "data").expanduser()
        first = _port(environ, "PORTAL_PORT", DEFAULT_PORT)
        ports = {name: _port(environ, name, first + i) for i, name in enumerate(PORT_VARIABLES)}
        return cls(data_dir.absolute(), ports, environ)

    @property
    def url(self) -> str:
        """Where to click."""
        root_domain = self.environ.get("PORTAL_ROOT_DOMAIN") or "localhost"
        default = f"{root_domain}:{self.ports['PORTAL_PORT']}"
        return f"http://{self.environ.get('PORTAL_PLATFORM_DOMAIN') or default}"

    @property
    def logs(self) -> Path:
        """The folder of the children's output."""
        return self.data_dir / "logs"

    def child_environ(self) -> dict[str, str]:
        """The environment of every child: the given one, with everything decided here."""
        decided = {name: str(port) for name, port in self.ports.items()}
        decided |= {"PORTAL_DATA_DIR": str(self.data_dir), "PYTHONUNBUFFERED": "1"}
        return {"PORTAL_ENVIRONMENT": "local", **self.environ, **decided}


def _port(environ: Mapping[str, str], variable: str, default: int) -> int:
    text = environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise StartError(f"{variable} is {text!r}; it must be a port number from 1 to 65535.")
    return int(text)


def ensure_data_folder(folder: Path) -> None:
    """Make it, readable by its owner only, and prove that it can be written; else StartError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "logs").mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StartError(
            f"The data folder {folder} cannot be written ({error.strerror}); "
            "make it writable, or name another with PORTAL_DATA_DIR."
        ) from error


class Claim:
    """Holds a data folder for one supervisor; the kernel lets go of it when we die."""

    def __init__(self, folder: Path) -> None:
        self._file = _locked(folder / "supervisor.lock", folder)
        self.after_a_crash = bool(self._file.read().strip())
        self._write(f"{os.getpid()}\n")

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the note of an orderly end, and the folder to the next."""
        self._write("")
        self._file.close()

    def _write(self, text: str) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(text)
        self._file.flush()


def _locked(path: Path, folder: Path) -> IO[str]:
    file = path.open("a+")
    file.seek(0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = file.read().strip() or "unknown"
        file.close()
        raise StartError(
            f"Another portal (process {owner}) already runs on the data folder {folder}; "
            "stop it, or name another folder with PORTAL_DATA_DIR."
        ) from None
    return file


def ensure_redis_answers(url: str, timeout_seconds: float = 3) -> None:
    """Raises StartError when nothing listens where REDIS_URL points; who may use it comes later."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(timeout_seconds)
                connection.connect(parts.path)
        else:
            address = (parts.hostname or "localhost", parts.port or 6379)
            socket.create_connection(address, timeout_seconds).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        where = parts.path if parts.scheme == "unix" else parts.netloc.rpartition("@")[2]
        raise StartError(
            f"The Redis server at {where} does not answer ({reason}); correct REDIS_URL, "
            "or leave it out for the embedded one."
        ) from error


def ensure_ports_free(ports: Mapping[str, int], patience_seconds: float = 0) -> None:
    """Raises StartError naming the first taken port and the variable that moves it.

    The patience is for a killed predecessor, whose processes may need a moment to follow it.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return _check_ports(ports)
        except StartError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.1)


def _check_ports(ports: Mapping[str, int]) -> None:
    seen: dict[int, str] = {}
    for variable, port in ports.items():
        if port in seen:
            raise StartError(f"{seen[port]} and {variable} are both {port}; each needs its own.")
        seen[port] = variable
        kinds = [socket.SOCK_STREAM, *([socket.SOCK_DGRAM] if variable == UDP_TOO else [])]
        for kind in kinds:
            _check_port(variable, port, kind)


def _check_port(variable: str, port: int, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            why = {
                errno.EADDRINUSE: "is already in use by another program",
                errno.EACCES: "needs more rights than you have",
            }.get(error.errno or 0, f"cannot be used ({error.strerror})")
            raise StartError(
                f"Port {port} {why}; choose another with {variable}, "
                f"for example {variable}={port % 50_000 + 1000} make run."
            ) from error
