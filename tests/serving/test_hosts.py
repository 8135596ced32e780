"""Which host is answered by what."""

from __future__ import annotations

import pytest

from portal.custom_domains.identity import PUBLIC_ID
from portal.database import db, utc_now
from portal.dispatching import Dispatcher
from portal.llm_clients.models import LLMClient, LLMClientAPIKey, LLMClientHost
from portal.serving import hosts
from portal.vault import tokens
from portal.vault.models import AuthToken
from tests.domain_setup.some_domains import a_domain
from tests.people import MakeClient, People
from tests.planes import Planes
from tests.serving.conftest import Visitor, close


@pytest.mark.parametrize("host", ["nobody.example", "", "x" * 300, "[::1", "a b", "%00"])
def test_an_unknown_or_absurd_host_is_404(host: str, planes: Planes) -> None:
    answer = planes.serving.test_client().get("/", headers={"Host": host})
    assert answer.status_code in (400, 404)
    assert "Set-Cookie" not in answer.headers


def test_a_client_that_is_not_deployed_is_503_for_people_and_programs(
    planes: Planes, make_client: MakeClient
) -> None:
    make_client("draft")
    with planes.worker.app_context():
        host = db.session.scalars(db.select(LLMClient)).one().default_host
    visitor = planes.serving.test_client()
    page = visitor.get("/", base_url=f"http://{host}")
    assert page.status_code == 503
    assert hosts.CLOSED in page.get_data(as_text=True)
    answer = visitor.post("/prompt/", base_url=f"http://{host}", json={})
    assert answer.status_code == 503
    assert answer.get_json()["error"]["message"] == hosts.CLOSED
    assert answer.headers["Retry-After"]


def test_a_draft_is_closed_under_the_platforms_host_too(
    planes: Planes, make_client: MakeClient
) -> None:
    hashed_id = make_client("draft")
    answer = planes.serving.test_client().post(
        f"/api/v1/llm-clients/{hashed_id}/prompt/",
        base_url=f"http://{planes.settings.platform_domain}",
        json={"messages": [{"role": "user", "content": "x"}]},
    )
    assert answer.status_code == 503


def test_case_port_and_final_dot_of_a_host_do_not_matter(visitor: Visitor) -> None:
    for host in (visitor.host.upper(), f"{visitor.host}.", f"{visitor.host}:1"):
        assert visitor.client.get("/", headers={"Host": host}).status_code == 200


def test_visitors_get_the_published_revision(visitor: Visitor) -> None:
    with visitor.planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        llm_client.app_name = "Not published"
        db.session.commit()
    assert "Not published" not in visitor.ask("GET", "/").get_data(as_text=True)


def test_a_change_is_served_on_the_next_request(visitor: Visitor) -> None:
    assert visitor.ask("GET", "/").status_code == 200
    with visitor.planes.worker.app_context():
        db.session.scalars(db.select(LLMClient)).one().deployed = False
        db.session.commit()
    assert visitor.ask("GET", "/").status_code == 503


def test_the_warm_look_up_asks_the_database_nothing(visitor: Visitor) -> None:
    visitor.config()
    asked: list[str] = []
    with visitor.planes.serving.app_context():
        engine = db.engine
    listener = lambda *arguments: asked.append(arguments[2])  # noqa: E731
    db.event.listen(engine, "before_cursor_execute", listener)
    try:
        visitor.config()
    finally:
        db.event.remove(engine, "before_cursor_execute", listener)
    assert [statement for statement in asked if "llm_client_hosts" in statement] == []


class TestIdentity:
    """Who answers at a host."""

    PATH = "/.well-known/llm-client"

    def test_an_open_host_names_its_client_to_anybody(self, visitor: Visitor) -> None:
        answer = visitor.ask("GET", self.PATH)
        assert (answer.status_code, answer.get_data(as_text=True)) == (200, visitor.hashed_id)
        assert PUBLIC_ID.fullmatch(visitor.hashed_id)
        assert answer.mimetype == "text/plain"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        assert visitor.ask("POST", self.PATH).status_code == 405

    def test_a_closed_host_is_503(self, visitor: Visitor) -> None:
        assert visitor.ask("GET", self.PATH).status_code == 200
        close(visitor)
        answer = visitor.ask("GET", self.PATH)
        assert answer.status_code == 503
        assert answer.headers["Cache-Control"] == "no-store"
        assert visitor.hashed_id not in answer.get_data(as_text=True)

    def test_a_customers_host_names_its_client_too(self, visitor: Visitor) -> None:
        with visitor.planes.worker.app_context():
            llm_client = db.session.get_one(LLMClient, visitor.client_id)
            domain = a_domain(llm_client.account_id, "weinhof.de", utc_now())
            entry = LLMClientHost(hostname="bot.weinhof.de", llm_client=llm_client, is_open=True)
            entry.account_id, entry.custom_domain = llm_client.account_id, domain
            db.session.add(entry)
            db.session.commit()
        answer = visitor.client.get(self.PATH, base_url="http://bot.weinhof.de")
        assert answer.get_data(as_text=True) == visitor.hashed_id

    def test_nobodys_host_and_the_platforms_own_are_404(self, visitor: Visitor) -> None:
        stranger = visitor.client.get(self.PATH, base_url="http://nobody.example")
        assert stranger.status_code == 404
        admin = visitor.planes.admin.test_client()
        platform = f"http://{visitor.planes.settings.platform_domain}"
        for base in (platform, visitor.base):
            assert admin.get(self.PATH, base_url=base).status_code == 404

    def test_the_warm_answer_asks_the_database_nothing(self, visitor: Visitor) -> None:
        visitor.ask("GET", self.PATH)
        asked: list[str] = []
        with visitor.planes.serving.app_context():
            engine = db.engine
        listener = lambda *arguments: asked.append(arguments[2])  # noqa: E731
        db.event.listen(engine, "before_cursor_execute", listener)
        try:
            assert visitor.ask("GET", self.PATH).status_code == 200
        finally:
            db.event.remove(engine, "before_cursor_execute", listener)
        assert asked == []


def test_a_client_with_a_key_wants_it(planes: Planes, people: People, visitor: Visitor) -> None:
    secret = tokens.make().text
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        key = AuthToken(
            account_id=llm_client.account_id,
            prefix="p1",
            secret_hash=tokens.digest(secret),
            name="site",
        )
        db.session.add(LLMClientAPIKey(llm_client=llm_client, api_key=key))
        db.session.commit()
    body = {"messages": [{"role": "user", "content": "x"}]}
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer wrong"}):
        refused = visitor.ask("POST", "/prompt/", json=body, headers=headers)
        assert refused.status_code == 401
        assert refused.get_json()["error"]["message"] == hosts.NEEDS_KEY
    visitor.prompt("x", headers={"Authorization": f"Bearer {secret}"})
    *refused_rows, row = visitor.rows()
    assert [entry.status for entry in refused_rows] == [401] * 3
    assert row.api_key_id is not None
    with planes.worker.app_context():
        db.session.scalars(db.select(AuthToken)).one().is_active = False
        db.session.add(AuthToken(account_id=1, prefix="p2", secret_hash="x" * 64, name="n"))
        db.session.commit()
    assert visitor.ask("POST", "/prompt/", json=body).status_code == 200, "public again"


class TestDispatcher:
    """One port, four planes."""

    @pytest.fixture
    def dispatcher(self, planes: Planes) -> Dispatcher:
        planes_by_name = {}
        for name in ("admin", "serving", "internal", "api"):
            planes_by_name[name] = lambda environ, start, name=name: [name.encode()]
        return Dispatcher(**planes_by_name, settings=planes.settings)

    @pytest.mark.parametrize(
        ("host", "path", "expected"),
        [
            ("localhost:9357", "/llm-clients/", b"admin"),
            ("LOCALHOST.", "/", b"admin"),
            ("localhost", "/api/v1/llm-clients/1/config/", b"serving"),
            ("localhost", "/api/v1/clients/", b"api"),
            ("localhost", "/api/v1/llm-clients", b"api"),
            ("localhost", "/api/", b"admin"),
            ("guide.1.api.local.localhost", "/api/v1/clients/", b"serving"),
            ("guide.1.api.local.localhost", "/", b"serving"),
            ("evil.example", "/login", b"serving"),
            ("evil@localhost.example", "/login", b"serving"),
            ("", "/", b"serving"),
        ],
    )
    def test_host_and_path_choose(
        self, dispatcher: Dispatcher, host: str, path: str, expected: bytes
    ) -> None:
        environ = {"HTTP_HOST": host, "PATH_INFO": path, "SERVER_PORT": "9357"}
        assert list(dispatcher(environ, None)) == [expected]

    def test_only_the_internal_listener_leads_inside(
        self, dispatcher: Dispatcher, planes: Planes
    ) -> None:
        port = str(planes.settings.internal_port)
        inside = {"HTTP_HOST": "x", "PATH_INFO": "/", "SERVER_PORT": port}
        forged = {"HTTP_HOST": f"localhost:{port}", "PATH_INFO": "/", "SERVER_PORT": "9357"}
        assert list(dispatcher(inside, None)) == [b"internal"]
        assert list(dispatcher(forged, None)) == [b"admin"]


class TestInternalPlane:
    """What the TLS edge may ask."""

    def test_certificates_want_the_token(self, planes: Planes) -> None:
        client = planes.internal.test_client()
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = client.get("/internal/tls?server_name=x.example", headers=headers)
            assert answer.status_code == 404

    def test_a_host_without_a_certificate_is_204(self, planes: Planes) -> None:
        headers = {"Authorization": f"Bearer {planes.settings.internal_token}"}
        answer = planes.internal.test_client().get(
            "/internal/tls?server_name=x.example", headers=headers
        )
        assert answer.status_code == 204

    def test_health_says_that_the_database_answers(self, planes: Planes) -> None:
        assert planes.internal.test_client().get("/healthz").get_json() == {"status": "ok"}
