"""From Deploy to a verified handshake: a real authority, a real edge, real name servers."""

from __future__ import annotations

import http.client
from collections.abc import Callable

import pytest
from sqlalchemy import select

from portal.certificates.models import Certificate, OpenChallenge
from portal.database import db
from portal.dns.ask import ask
from portal.llm_clients.models import LLMClient
from tests.dns_peers import Peer
from tests.edge_portal import EdgePortal, MakeEdgePortal, platform_zones
from tests.people import MakeClient, People
from tests.planes import Planes

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.long]
Tls = LLMClient.TlsCertificateIssuanceStatusChoices


class Owner:
    """Somebody who deploys in the browser, and sees what comes of it."""

    def __init__(self, people: People, planes: Planes) -> None:
        self.browser, self.planes = people.browser(people.alice), planes

    def press(self, client: str, what: str) -> None:
        self.browser.post(f"/llm-clients/{client}/{what}", {"confirm": "yes"})

    def row(self, client: str) -> LLMClient:
        return db.session.scalars(select(LLMClient).where(LLMClient.hashed_id == client)).one()

    def host(self, client: str) -> str:
        with self.planes.worker.app_context():
            return self.row(client).default_host

    def is_ready(self, client: str) -> Callable[[], bool]:
        return lambda: self.row(client).is_open

    def is_off(self, client: str) -> Callable[[], bool]:
        return lambda: self.row(client).tls_certificate_issuance_status == Tls.NO_CERTIFICATE


@pytest.fixture
def owner(people: People, planes: Planes) -> Owner:
    return Owner(people, planes)


def rows(portal: EdgePortal, model: type) -> list:
    with portal.planes.worker.app_context():
        return list(db.session.scalars(select(model).order_by(model.id)))


def test_deploy_renew_undeploy(
    make_edge_portal: MakeEdgePortal, make_client: MakeClient, owner: Owner
) -> None:
    portal = make_edge_portal()
    client = make_client("guide")
    host = owner.host(client)
    assert portal.shown(host) == ""

    owner.press(client, "deploy")
    took = portal.work(owner.is_ready(client))
    serial = portal.shown(host)
    assert portal.get(host)[0] == 200
    assert took < 10
    [certificate] = rows(portal, Certificate)
    assert (certificate.serial, certificate.issuer_kind) == (serial, "acme")
    assert rows(portal, OpenChallenge) == []

    renewed_serial = portal.renewed_under_load(host)
    assert renewed_serial != serial
    assert portal.pebble.status_of(serial) == "Valid"

    owner.press(client, "undeploy")
    assert portal.shown(host) == ""
    portal.work(owner.is_off(client))
    assert portal.pebble.status_of(renewed_serial) == "Revoked"

    owner.press(client, "deploy")
    portal.work(owner.is_ready(client))
    assert portal.shown(host) not in ("", serial, renewed_serial)


def test_one_wildcard_for_all_clients_of_an_account(
    make_edge_portal: MakeEdgePortal, make_client: MakeClient, owner: Owner
) -> None:
    portal = make_edge_portal(wildcards=True)
    clients = [make_client(name) for name in ("one", "two", "three")]
    for client in clients:
        owner.press(client, "deploy")
    portal.work(lambda: all(owner.is_ready(client)() for client in clients))

    shown = {portal.shown(owner.host(client)) for client in clients}

    [certificate] = rows(portal, Certificate)
    assert shown == {certificate.serial}
    assert certificate.hostname == "*." + owner.host(clients[0]).partition(".")[2]
    owner.press(clients[0], "undeploy")
    assert portal.shown(owner.host(clients[0])) == ""
    portal.work(owner.is_off(clients[0]))
    assert portal.pebble.status_of(certificate.serial) == "Valid"
    assert portal.shown(owner.host(clients[1])) == certificate.serial


@pytest.mark.parametrize("server", ["bind", "knot"])
@pytest.mark.parametrize("wildcards", [False, True], ids=["by a file", "by a record"])
def test_with_real_name_servers(
    make_edge_portal: MakeEdgePortal, make_client: MakeClient, owner: Owner,
    request: pytest.FixtureRequest, server: str, wildcards: bool,
) -> None:  # fmt: skip
    """The zone at BIND or knot, the authority's look-ups by unbound."""
    authority: Peer = request.getfixturevalue(f"start_{server}")(platform_zones())
    resolver: Peer = request.getfixturevalue("start_unbound")(
        dict.fromkeys(platform_zones(), authority.address)
    )
    portal = make_edge_portal(authority=authority, resolver=resolver, wildcards=wildcards)
    client = make_client("guide")
    host = owner.host(client)

    owner.press(client, "deploy")
    took = portal.work(owner.is_ready(client))

    assert portal.get(host)[0] == 200
    assert took < 10
    challenge = f"_acme-challenge.{host.partition('.')[2] if wildcards else host}"
    left = ask(authority.address, challenge, "TXT", recursive=False, timeout=2)
    assert left.status in ("no_name", "no_record")
    owner.press(client, "undeploy")
    assert portal.shown(host) == ""


def test_an_edge_that_issues_on_demand_after_asking(
    make_edge_portal: MakeEdgePortal, make_client: MakeClient, owner: Owner
) -> None:
    portal = make_edge_portal(issuer="edge", caddyfile="Caddyfile.on-demand")
    client = make_client("guide")
    host = owner.host(client)
    assert portal.shown(host) == ""
    assert portal.shown("evil.example.test") == ""

    owner.press(client, "deploy")
    portal.work(owner.is_ready(client))

    assert portal.get(host)[0] == 200
    assert rows(portal, Certificate) == []


@pytest.mark.parametrize("caddyfile", ["Caddyfile", "Caddyfile.on-demand"])
def test_only_pages_lead_from_http_to_https(
    caddyfile: str, make_edge_portal: MakeEdgePortal
) -> None:
    """ASVS 4.1.2: a program that sends its key in the clear has to learn of it."""
    port = make_edge_portal(caddyfile=caddyfile).settings.http_port

    def asked(method: str, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request(method, path, headers={"Host": "guide.example.test", **headers})
        answer = connection.getresponse()
        connection.close()
        return answer.status, answer.headers.get("Location", "")

    assert asked("GET", "/chat?x=1") == (308, "https://guide.example.test/chat?x=1")
    assert asked("GET", "/", Authorization="Bearer x") == (403, "")
    assert asked("GET", "/v1/models") == (403, "")
    assert asked("POST", "/prompt/") == (403, "")
    assert asked("POST", "/v1/chat/completions", Authorization="Bearer x") == (403, "")


def test_the_token_is_in_no_log(
    make_edge_portal: MakeEdgePortal, make_client: MakeClient, owner: Owner
) -> None:
    for caddyfile in ("Caddyfile", "Caddyfile.on-demand"):
        portal = make_edge_portal(caddyfile=caddyfile)
        portal.shown("nobody.example.test")
        for one in portal._running:
            if one is not portal.caddy.program:
                one.stop()
        portal.shown("nobody-either.example.test")
        log = portal.caddy.program.tail(500)
        assert "nobody-either" in log
        assert portal.settings.internal_token not in log
