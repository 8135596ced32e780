"""The portal behind a real Caddy, with pebble as its authority and a name server of its own.

Loaded as a pytest plugin by the root conftest.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.serving import make_server

from portal import adapters
from portal.adapters import Adapters
from portal.caching import cache
from portal.certificates.accounts import StoredAuthorityAccounts
from portal.certificates.models import Certificate, CertificateOrder
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.dns.local_server import LocalNameServer
from portal.issuer_settings import AcmeSettings
from portal.job_queue import perform, rings_due
from portal.llm_clients.deployment.models import ProgressEvent
from portal.local_services import TSIG_KEY_NAME
from portal.settings import Settings
from tests.dns_peers import Peer, zone_text
from tests.edge_peers import Caddy, Pebble, handshake, start_caddy, start_pebble
from tests.faulty_pebble import FaultyPebble
from tests.planes import LOOPBACK, Planes, free_ports

ROOT, BASE = "ca.test", "api.ca.test"
DEPLOY = Path(__file__).parent.parent / "deploy"


def platform_zones() -> dict[str, str]:
    """What the platform's name server serves before anything is deployed: its zone, delegated."""
    above = "api NS ns1.api\nns1.api A 127.0.0.1\n"
    return {ROOT: zone_text(ROOT, above), BASE: zone_text(BASE, "")}


def caddyfile(name: str, pebble: Pebble) -> str:
    """What we deploy, on loopback and without the platform's own host."""
    text = (DEPLOY / name).read_text()
    platform = text[text.index("{$PORTAL_PLATFORM_DOMAIN}") :].partition("}\n\n")[0] + "}\n"
    return text.replace(platform, "").replace(
        "admin off", f"admin off\n\tskip_install_trust\n\tdefault_bind {LOOPBACK}\n"
        f"\tacme_ca {pebble.directory}\n\tacme_ca_root {pebble.ca_file}"
    )  # fmt: skip


class Served:
    """An application on a port of its own."""

    def __init__(self, app: Any, port: int) -> None:
        self._server = make_server(LOOPBACK, port, app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class EdgePortal:
    """The session's applications with other settings, and everything around them.

    The portal reaches pebble through `door`, which can misbehave. Names are published at
    `authority` and looked up by `resolver`, real servers; without them in the embedded name server.
    `options` are of AcmeSettings, and `issuer`.
    """

    def __init__(
        self,
        planes: Planes,
        folder: Path,
        caddyfile: str = "Caddyfile",
        authority: Peer | None = None,
        resolver: Peer | None = None,
        **options: Any,
    ) -> None:
        self._authority, self._resolver = authority, resolver
        dns, web, internal, http, https = free_ports(5)
        self.planes = planes
        self.upstream, self.internal_port = f"{LOOPBACK}:{web}", internal
        self._apps = (planes.admin, planes.serving, planes.internal, planes.worker)
        self._before = [
            (app, app.extensions["portal_settings"], app.extensions["portal_adapters"])
            for app in self._apps
        ]
        base = replace(
            planes.settings,
            base_api_domain=BASE,
            edge_host=f"edge.{BASE}",
            dns_port=dns,
            edge_port=https,
            http_port=http,
        )
        self.names = LocalNameServer(
            (BASE,), LOOPBACK, dns, folder / "zone.json", TSIG_KEY_NAME, base.tsig_secret
        )
        self.names.start()
        self._running: list[Any] = [self.names]
        try:
            self._start(base, folder, caddyfile, (web, internal, dns, http, https), options)
        except BaseException:
            self.stop()
            raise

    def _start(
        self,
        base: Settings,
        folder: Path,
        caddyfile: str,
        ports: tuple[int, ...],
        options: dict[str, Any],
    ) -> None:
        web, internal, dns, http, https = ports
        resolver_port = self._resolver.port if self._resolver else dns
        self._running.append(Served(self.planes.serving, web))
        self._running.append(Served(self.planes.internal, internal))
        self.pebble: Pebble = start_pebble(
            folder / "pebble", dns_port=resolver_port, http_port=http, tls_port=https
        )
        self._running.append(self.pebble.program)
        self.door = FaultyPebble(self.pebble)
        self._running.append(self.door)
        self.root_pem = self.pebble.root_pem()
        (folder / "roots.pem").write_text(self.root_pem)
        self.settings = self._configured(base, folder, options)
        self.caddy = self._caddy(folder / "caddy", caddyfile, http, https)

    def _configured(self, base: Settings, folder: Path, options: dict[str, Any]) -> Settings:
        values = {
            "directory": self.door.directory,
            "ca_file": str(self.pebble.ca_file),
            "contact": "ops@example.test",
        }
        issuer = options.pop("issuer", "acme")
        acme = AcmeSettings(**{**values, **options})
        roots = str(folder / "roots.pem")
        settings = replace(base, issuer=issuer, acme=acme, certificate_roots_file=roots)
        settings = replace(settings, **self._names_for_real())
        self.use(settings, adapters.build(settings, StoredAuthorityAccounts()))
        return settings

    def _names_for_real(self) -> dict[str, Any]:
        """As an installation names its zone editor and the resolvers that it trusts."""
        if self._authority is None or self._resolver is None:
            return {}
        return {
            "zone_editor": "rfc2136",
            "zone_editor_values": tuple(self._authority.zone_editor_settings(BASE).items()),
            "public_resolvers": (self._resolver.address,),
            "authority_dns_port": self._authority.port,
        }

    def use(self, settings: Settings, outside: Adapters) -> None:
        """From now on, these settings and this outside."""
        for app in self._apps:
            app.extensions["portal_settings"] = settings
            app.extensions["portal_adapters"] = outside

    def _caddy(self, folder: Path, name: str, http: int, https: int) -> Caddy:
        text = caddyfile(name, self.pebble)
        values = {
            "PORTAL_UPSTREAM": self.upstream,
            "PORTAL_INTERNAL": f"{LOOPBACK}:{self.internal_port}",
            "PORTAL_INTERNAL_TOKEN": self.settings.internal_token,
            "PORTAL_ASK_PORT": str(free_ports(1)[0]),
            "PORTAL_HTTP_PORT": str(http),
            "PORTAL_HTTPS_PORT": str(https),
        }
        caddy = start_caddy(folder, text, http, https, values)
        self._running.append(caddy.program)
        return caddy

    def work(self, is_done: Callable[[], bool], seconds: float = 20.0) -> float:
        """Do what worker and clock would until it is done; the seconds it took."""
        started = time.monotonic()
        with self.planes.worker.app_context():
            while not is_done():
                db.session.rollback()
                assert time.monotonic() - started < seconds, f"it is not done: {_last_words()}"
                rings = list(rings_due(utc_now()))
                db.session.rollback()
                for ring in rings:
                    perform(ring.name, *ring.arguments)
                if not rings:
                    time.sleep(0.05)
            db.session.rollback()
        return time.monotonic() - started

    def work_off(self) -> None:
        """Do what is due now and what that makes due, until nothing is."""
        with self.planes.worker.app_context():
            while rings := list(rings_due(utc_now())):
                db.session.rollback()
                for ring in rings:
                    perform(ring.name, *ring.arguments)
            db.session.rollback()

    def last_words(self) -> str:
        """What runs and checks say of themselves, for a test that waits in vain."""
        with self.planes.worker.app_context():
            return _last_words()

    def shown(self, host: str) -> str:
        """The serial of what the edge shows; empty where it refuses the handshake."""
        try:
            found = handshake(self.caddy.https_port, host, self.root_pem)
        except ssl.SSLError as error:
            if isinstance(error, ssl.SSLCertVerificationError):
                raise
            return ""
        return format(found.serial_number, "x")

    def get(self, host: str, path: str = "/") -> tuple[int, bytes]:
        """A visitor's request over HTTPS: status and everything that came."""
        context = ssl.create_default_context(cadata=self.root_pem)
        with (
            socket.create_connection((LOOPBACK, self.caddy.https_port), 10) as raw,
            context.wrap_socket(raw, server_hostname=host) as secure,
        ):
            request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            secure.sendall(request.encode())
            received = b""
            while chunk := secure.recv(65_536):
                received += chunk
        return int(received.split(b" ", 2)[1]), received

    def renewed_under_load(self, host: str) -> str:
        """The serial after a renewal; visitors come all the time and none is turned away."""
        old = self.shown(host)
        with _visitors(self, host) as seen:
            self._renew(host)
            new = self.shown(host)
            time.sleep(0.2)
        assert seen == {old, new}
        return new

    def _renew(self, host: str) -> None:
        with self.planes.worker.app_context():
            query = select(CertificateOrder).where(CertificateOrder.name == host)
            order = db.session.scalars(query).one()
            order.next_attempt_at = order.renew_at = utc_now()
            before = _certificates(host)
            db.session.commit()
        self.work(lambda: _certificates(host) > before)

    def stop(self) -> None:
        for app, settings, outside in self._before:
            app.extensions["portal_settings"] = settings
            app.extensions["portal_adapters"] = outside
        for one in reversed(self._running):
            one.stop()


def _last_words() -> str:
    told = [
        f"{event.created_at:%M:%S.%f} {event.deployment_id} {event.step}: {event.message}"
        for event in db.session.scalars(select(ProgressEvent).order_by(ProgressEvent.id))
    ]
    for domain in db.session.scalars(select(LLMClientCustomDomain)).unique():
        told.append(f"{domain.domain_name} of {domain.account_id} {domain.state}")
        told += [f"  {one['check']} {one['host']}: {one}" for one in domain.check_results]
    told += [f"{one.name} {one.detail}" for one in db.session.scalars(select(CertificateOrder))]
    return "\n".join(["", *told])


def _certificates(host: str) -> int:
    query = select(func.count()).select_from(Certificate).where(Certificate.hostname == host)
    return db.session.scalar(query) or 0


@contextmanager
def _visitors(portal: EdgePortal, host: str) -> Iterator[set[Any]]:
    """Three who shake hands all the time; what they saw, refusals and faults too."""
    seen: set[Any] = set()
    stopped = threading.Event()

    def visit() -> None:
        while not stopped.is_set():
            try:
                seen.add(portal.shown(host))
            except OSError as error:
                seen.add(error)

    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    try:
        yield seen
    finally:
        stopped.set()
        for visitor in visitors:
            visitor.join()


MakeEdgePortal = Callable[..., EdgePortal]


@pytest.fixture
def make_edge_portal(planes: Planes, tmp_path: Path) -> Iterator[MakeEdgePortal]:
    """`EdgePortal` in a folder of its own; everything is as before when the test ends."""
    made: list[EdgePortal] = []

    def make(**options: Any) -> EdgePortal:
        made.append(EdgePortal(planes, tmp_path, **options))
        with planes.worker.app_context():
            cache().forget()
        return made[-1]

    yield make
    for one in reversed(made):  # each leaves the applications as it found them
        one.stop()
