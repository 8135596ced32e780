"""Real programs at the edge: pebble (an ACME authority) and Caddy (the TLS edge).

Loaded as a pytest plugin by the root conftest. Each is started on loopback in a folder of its own
and stopped by its own process id.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3
from cryptography import x509

from portal.tls.authority import (
    certificate_text,
    key_text,
    new_key,
    new_root,
    new_server_certificate,
)
from tests.peers import missing
from tests.planes import LOOPBACK, free_ports

START_SECONDS = 15.0
DIRECTORIES = "/usr/sbin:/usr/local/sbin:/usr/bin:/bin"


class Program:
    """A child process with its log; ended by its id."""

    def __init__(
        self,
        arguments: list[str | Path],
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{Path(arguments[0]).name}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(argument) for argument in arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )

    def wait_for(self, *ports: int) -> None:
        """Until it listens; fails with its log if it ends or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        for port in ports:
            while not _listens(port):
                late = time.monotonic() > deadline
                if late or self._process.poll() is not None:
                    self.stop()
                    raise AssertionError(f"does not listen on {port}: {self.tail()}")
                time.sleep(0.02)

    def tail(self, lines: int = 25) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), 0.3).close()
    except OSError:
        return False
    return True


def program(name: str, peer: str = "") -> str:
    """Where a program is; skips (or fails where it is required) when it is not there."""
    found = shutil.which(name) or shutil.which(name, path=DIRECTORIES)
    return found or missing(peer or name, f"{name} is not installed")


@dataclass
class Pebble:
    """A running authority; `ca_file` is the root of its own HTTPS, not of its certificates."""

    program: Program
    directory: str
    management: str
    ca_file: Path

    def get(self, path: str) -> bytes:
        """An answer of its management interface."""
        with urllib3.PoolManager(ca_certs=str(self.ca_file)) as pool:
            return pool.request("GET", f"{self.management}{path}").data

    def root_pem(self) -> str:
        """The root that its certificates lead to; another one at each start."""
        return self.get("/roots/0").decode()

    def status_of(self, serial: str) -> str:
        """Valid or Revoked, by the serial in hexadecimal digits."""
        found: dict[str, Any] = json.loads(self.get(f"/cert-status-by-serial/{serial}"))
        return str(found["Status"])


def start_pebble(
    folder: Path, *, dns_port: int, http_port: int, tls_port: int = 5001, days: int = 90,
    environment: Mapping[str, str] | None = None,
    external_accounts: Mapping[str, str] | None = None,
) -> Pebble:  # fmt: skip
    """An authority that looks names up at `dns_port` and comes for proofs to `http_port`."""
    path = program("pebble")
    folder.mkdir(parents=True, exist_ok=True)
    api, management = free_ports(2)
    _https_files(folder)
    settings = {
        "listenAddress": f"{LOOPBACK}:{api}",
        "managementListenAddress": f"{LOOPBACK}:{management}",
        "certificate": str(folder / "api.pem"),
        "privateKey": str(folder / "api.key"),
        "httpPort": http_port,
        "tlsPort": tls_port,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": bool(external_accounts),
        "externalAccountMACKeys": dict(external_accounts or {}),
        "certificateValidityPeriod": days * 86_400,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    started = Program(
        [path, "-config", folder / "pebble.json", "-dnsserver", f"{LOOPBACK}:{dns_port}"],
        folder,
        {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", **(environment or {})},
    )
    started.wait_for(api, management)
    return Pebble(
        started,
        f"https://localhost:{api}/dir",
        f"https://localhost:{management}",
        folder / "api-ca.pem",
    )


def _https_files(folder: Path) -> None:
    root_key, key = new_key(), new_key()
    root = new_root(root_key)
    names = ("localhost",)
    leaf = new_server_certificate(root, root_key, key.public_key(), names, datetime.now(UTC))
    (folder / "api.pem").write_text(certificate_text(leaf))
    (folder / "api.key").write_text(key_text(key))
    (folder / "api-ca.pem").write_text(certificate_text(root))


@dataclass
class Caddy:
    """A running edge."""

    program: Program
    http_port: int
    https_port: int


def start_caddy(
    folder: Path,
    caddyfile: str,
    http_port: int,
    https_port: int,
    environment: Mapping[str, str] | None = None,
) -> Caddy:
    """Caddy with this configuration, which names both ports and keeps its state in `folder`."""
    path = program("caddy")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Caddyfile").write_text(caddyfile)
    homes = {name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    started = Program(
        [path, "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"],
        folder,
        {**homes, **(environment or {})},
    )
    started.wait_for(http_port, https_port)
    return Caddy(started, http_port, https_port)


StartPebble = Callable[..., Pebble]


@pytest.fixture
def make_pebble(tmp_path: Path) -> Iterator[StartPebble]:
    """`start_pebble` with a folder of its own; what it started ends with the test."""
    started: list[Pebble] = []

    def make(**options: Any) -> Pebble:
        started.append(start_pebble(tmp_path / f"pebble{len(started)}", **options))
        return started[-1]

    yield make
    for one in started:
        one.program.stop()


def handshake(port: int, host: str, root_pem: str) -> x509.Certificate:
    """What the edge shows a visitor who trusts this root; raises ssl.SSLError when refused."""
    context = ssl.create_default_context(cadata=root_pem)
    with (
        socket.create_connection((LOOPBACK, port), 10) as raw,
        context.wrap_socket(raw, server_hostname=host) as secure,
    ):
        return x509.load_der_x509_certificate(secure.getpeercert(True) or b"")
