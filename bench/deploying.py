"""How long somebody waits who presses Deploy, beside RQ's own round trip; see bench/README.md.

`python -m bench.deploying [--rounds 10]`: on a developer's machine, then with BIND, unbound,
pebble and Caddy where those are installed.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

from bench.processes import free_port, program
from bench.rig import PASSWORD, Rig, rig, web
from portal.accounts.models import Account
from portal.database import db
from portal.job_queue import Doorbell, Ring, connect_redis
from portal.llm_clients import registration
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from tests.dns_peers import StartPeer, start_peers
from tests.edge_peers import DIRECTORIES, start_caddy, start_pebble
from tests.edge_portal import BASE, caddyfile, platform_zones

CLI = (sys.executable, "-m", "portal.cli")
PEERS = {"BIND": "named", "unbound": "unbound", "pebble": "pebble", "Caddy": "caddy"}
LONGEST = 60.0  # seconds until somebody would give up
LOOP = 0.002
CHANGED = re.compile(r"is published\.|already answers with|answers with 127")


class Admin:
    """A signed-in person's browser on one kept connection."""

    def __init__(self, found: Rig) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", found.settings.port)
        self._host, self._cookies = found.settings.platform_domain, {}
        token = self.token("/login")
        sent = {"csrf_token": token, "username": "admin", "password": PASSWORD}
        if self.post("/login", sent) != 303:
            raise RuntimeError("signing in did not work")
        self.csrf = self.token("/account/sessions")

    def get(self, path: str) -> str:
        return self._ask("GET", path)[1]

    def post(self, path: str, sent: Mapping[str, str]) -> int:
        return self._ask("POST", path, urlencode(sent))[0]

    def token(self, path: str) -> str:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(path))
        if found is None:
            raise RuntimeError(f"no form at {path}")
        return found[1]

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        headers = {"Host": self._host, "Cookie": "; ".join(map("=".join, self._cookies.items()))}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
        return response.status, response.read().decode()


def new_client(found: Rig, name: str) -> str:
    """The path of a client that is not deployed."""
    with found.worker.app_context():
        account = db.session.scalars(db.select(Account)).one()
        profile = account.admin_profile
        assert profile is not None
        llm_client = LLMClient(
            account=account, account_id=account.id, user_profile=profile, name=name,
            default_model="demo", default_system_role="You help.",
        )  # fmt: skip
        registration.register(llm_client, profile.user)
        db.session.commit()
        return f"/llm-clients/{llm_client.hashed_id}/"


def round_trip(found: Rig, number: int) -> float:
    """Milliseconds of a job that finds nothing to do, from ringing until RQ has forgotten it."""
    with contextlib.closing(connect_redis(found.settings.redis_url)) as connection:
        ring = Ring("deployment.advance_deployment", (0,), f"bench-{number}")
        started = time.perf_counter()
        Doorbell(connection).ring(ring)
        while connection.exists(f"rq:job:deployment-advance_deployment-bench-{number}"):
            time.sleep(LOOP / 4)
        return (time.perf_counter() - started) * 1000


def deployed(found: Rig, admin: Admin, name: str) -> tuple[float, float]:
    """Milliseconds from pressing Deploy until the page shows a result, and until it is ready."""
    path, changed = new_client(found, name), 0.0
    pressed = time.perf_counter()
    if admin.post(f"{path}deploy", {"csrf_token": admin.csrf, "confirm": "yes"}) != 303:
        raise RuntimeError("Deploy was refused")
    while time.perf_counter() - pressed < LONGEST:
        page = admin.get(f"{path}status")
        if not changed and CHANGED.search(page):
            changed = time.perf_counter() - pressed
        if "data-poll-url" not in page:
            return changed * 1000, (time.perf_counter() - pressed) * 1000
        time.sleep(LOOP)
    raise RuntimeError(f"{name} is not ready after {LONGEST:g} s")


def measure(found: Rig, title: str, rounds: int, goal_seconds: float) -> None:
    """Round trips and deployments in turn, the first of each not counted; prints a table."""
    admin, trips, changes, readies = Admin(found), [], [], []
    for number in range(rounds + 1):
        trip = round_trip(found, number)
        changed, ready = deployed(found, admin, f"client-{number}")
        if number:
            trips.append(trip)
            changes.append(changed)
            readies.append(ready)
    trip, changed, ready = map(statistics.median, (trips, changes, readies))
    print(f"\n{title}, {rounds} rounds, medians")
    print(f"{'RQ round trip, nothing to do':44}{trip:9.1f} ms")
    print(f"{'pressed Deploy, result on the page':44}{changed:9.1f} ms  goal {trip + 50:.1f}")
    print(f"{'pressed Deploy, ready':44}{ready:9.1f} ms  goal {goal_seconds * 1000:.0f}")
    print(f"{'pressed Deploy, ready, slowest':44}{max(readies):9.1f} ms")
    tell_timeline(found)


def tell_timeline(found: Rig) -> None:
    """Where the time of the last deployment went."""
    with found.worker.app_context():
        run = db.session.scalars(db.select(Deployment).order_by(Deployment.id.desc())).first()
        assert run is not None
        for event in run.events:
            after = (event.created_at - run.started_at).total_seconds() * 1000
            print(f"  {after:7.0f} ms  {event.step}, {event.result}: {event.message[:70]}")


@contextlib.contextmanager
def background(found: Rig) -> Iterator[None]:
    """The web process, a worker and the clock, as production starts them."""
    port = found.settings.port
    with (
        web(found),
        program((*CLI, "worker"), port, found.environ),
        program((*CLI, "clock"), port, found.environ),
    ):
        yield


def on_a_developers_machine(rounds: int) -> None:
    """What `make run` starts: our own name server, authority and edge."""
    with rig(free_port()) as found:
        services = (sys.executable, "-m", "portal.local_services")
        with program(services, found.settings.edge_port, found.environ), background(found):
            measure(found, "local environment", rounds, 2.0)


def with_real_peers(rounds: int) -> None:
    """BIND, unbound, pebble and Caddy, as an installation would have them."""
    absent = [name for name, binary in PEERS.items() if not shutil.which(binary, path=DIRECTORIES)]
    if absent:
        print(f"\nwith real peers: skipped, {', '.join(absent)} not installed")
        return
    port, http_port = free_port(), free_port(1)
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name, contextlib.ExitStack() as end:
        folder = Path(name)
        start_bind: StartPeer = end.enter_context(start_peers("bind", folder))
        start_unbound: StartPeer = end.enter_context(start_peers("unbound", folder))
        authority = start_bind(platform_zones())
        resolver = start_unbound(dict.fromkeys(platform_zones(), authority.address))
        pebble = start_pebble(folder / "pebble", dns_port=resolver.port, http_port=http_port)
        end.callback(pebble.program.stop)
        (folder / "roots.pem").write_text(pebble.root_pem())
        zone = authority.zone_editor_settings(BASE)
        environ = {
            "PORTAL_BASE_API_DOMAIN": BASE,
            "PORTAL_HTTP_PORT": str(http_port),
            "PORTAL_ISSUER": "acme",
            "PORTAL_ACME_DIRECTORY": pebble.directory,
            "PORTAL_ACME_CA_FILE": str(pebble.ca_file),
            "PORTAL_ACME_WILDCARDS": "no",
            "PORTAL_CERTIFICATE_ROOTS_FILE": str(folder / "roots.pem"),
            "PORTAL_PUBLIC_RESOLVERS": f"127.0.0.1:{resolver.port}",
            "PORTAL_AUTHORITY_DNS_PORT": str(authority.port),
            "PORTAL_ZONE_EDITOR": "rfc2136",
            **{f"PORTAL_ZONE_{key.upper()}": value for key, value in zone.items()},
        }
        found = end.enter_context(rig(port, environ))
        settings = found.settings
        values = {
            "PORTAL_UPSTREAM": f"127.0.0.1:{port}",
            "PORTAL_INTERNAL": f"127.0.0.1:{settings.internal_port}",
            "PORTAL_INTERNAL_TOKEN": settings.internal_token,
            "PORTAL_ASK_PORT": str(free_port(1)),
            "PORTAL_HTTP_PORT": str(http_port),
            "PORTAL_HTTPS_PORT": str(settings.edge_port),
        }
        text = caddyfile("Caddyfile", pebble)
        caddy = start_caddy(folder / "caddy", text, http_port, settings.edge_port, values)
        end.callback(caddy.program.stop)
        end.enter_context(background(found))
        measure(found, "BIND, unbound, pebble and Caddy", rounds, 4.0)


def main() -> None:
    """Both, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    on_a_developers_machine(rounds)
    with_real_peers(rounds)


if __name__ == "__main__":
    main()
