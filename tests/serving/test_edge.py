"""What the TLS edge is told at each handshake: from memory, right at once, also in bad times."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import urllib3
from sqlalchemy import event
from werkzeug.serving import make_server

from portal.caching import cache
from portal.certificates import challenges, store
from portal.database import db, utc_now
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.tls import Challenge
from tests.outside import issuance
from tests.people import MakeClient, People
from tests.planes import LOOPBACK, Planes

HOST = "chat.example.com"
TOKEN = "t" * 43
ASKED = 200


class Edge:
    """Asks the internal plane, as an edge does."""

    def __init__(self, planes: Planes) -> None:
        self.planes = planes
        self.client = planes.internal.test_client()
        self.headers = {"Authorization": f"Bearer {planes.settings.internal_token}"}
        self.statements = 0

    def tls(self, host: str = HOST, **options: Any) -> Any:
        path = f"/internal/tls?server_name={host}&cipher_suites=1302"
        return self.client.get(path, headers=self.headers, **options)

    def may(self, host: str) -> int:
        return int(
            self.client.get(f"/internal/ask?domain={host}", headers=self.headers).status_code
        )

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count what goes to the database meanwhile; handshakes of others are their own."""
        here = threading.get_ident()

        def count(*arguments: Any) -> None:
            self.statements += threading.get_ident() == here

        self.statements = 0
        with self.planes.internal.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", count)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", count)

    @contextmanager
    def without_database(self, after_seconds: float = 0) -> Iterator[None]:
        """The internal plane gets no connection any more."""
        with self.planes.internal.app_context():
            engine = db.engine

        def refuse(dialect: Any, *arguments: Any) -> None:
            time.sleep(after_seconds)
            raise dialect.loaded_dbapi.OperationalError("the database is away")

        engine.dispose()
        event.listen(engine, "do_connect", refuse)
        try:
            yield
        finally:
            event.remove(engine, "do_connect", refuse)
            engine.dispose()
            self.planes.internal.extensions["portal_last_known"].away_until = 0.0


@pytest.fixture
def edge(planes: Planes) -> Edge:
    return Edge(planes)


Write = Callable[[Callable[[], None]], None]


@pytest.fixture
def elsewhere(planes: Planes) -> Write:
    """Do something and commit it in another process's application."""

    def write(change: Callable[[], None]) -> None:
        with planes.worker.app_context():
            change()
            db.session.commit()

    return write


def keep(people: People, serial: str = "1", host: str = HOST) -> Callable[[], None]:
    account_id = people.alice.account_id

    def change() -> None:
        store.keep(account_id, host, issuance("issued", now=utc_now(), serial=serial))

    return change


def forget() -> None:
    cache().forget()


def test_a_warm_answer_asks_no_database(edge: Edge, elsewhere: Write, people: People) -> None:
    elsewhere(keep(people))
    assert b"chain of 1" in edge.tls().data
    with edge.counting():
        for _ in range(20):
            assert b"key" in edge.tls().data
            assert edge.tls("nobody.example.com").status_code == 204
    assert edge.statements <= 2  # the first question about nobody


def test_what_is_issued_changed_or_taken_off_counts_at_once(
    edge: Edge, elsewhere: Write, people: People
) -> None:
    assert edge.tls().status_code == 204
    elsewhere(keep(people, "1"))
    assert b"chain of 1" in edge.tls().data
    elsewhere(keep(people, "2"))
    assert b"chain of 2" in edge.tls().data
    elsewhere(lambda: store.stop_serving(HOST))
    assert edge.tls().status_code == 204
    elsewhere(lambda: store.serve_again(HOST))
    assert b"chain of 2" in edge.tls().data
    elsewhere(lambda: store.revoke(HOST, utc_now()))
    assert edge.tls().status_code == 204


def test_a_host_that_leaves_a_shared_certificate_is_refused_at_once(
    edge: Edge, elsewhere: Write, people: People
) -> None:
    account_id = people.alice.account_id
    elsewhere(keep(people, host="*.a.test"))
    elsewhere(lambda: store.share(account_id, "one.a.test", "*.a.test"))
    assert edge.tls("one.a.test").status_code == 200
    assert edge.tls("two.a.test").status_code == 204
    elsewhere(lambda: store.stop_serving("one.a.test"))
    assert edge.tls("one.a.test").status_code == 204


def test_an_expired_one_is_not_shown(edge: Edge, elsewhere: Write, people: People) -> None:
    account_id, now = people.alice.account_id, utc_now()
    past = issuance(
        "issued", now=now, serial="old",
        not_before=now - timedelta(days=90), not_after=now - timedelta(seconds=1),
    )  # fmt: skip
    elsewhere(lambda: store.keep(account_id, HOST, past))
    assert edge.tls().status_code == 204


def test_the_last_answer_holds_while_the_database_is_away(
    edge: Edge, elsewhere: Write, people: People
) -> None:
    elsewhere(keep(people))
    assert edge.tls().status_code == 200
    assert edge.tls("nobody.example.com").status_code == 204
    elsewhere(forget)
    with edge.without_database():
        assert b"chain of 1" in edge.tls().data
        unknown = edge.tls("nobody.example.com")
        assert (unknown.status_code, unknown.headers["Retry-After"]) == (503, "5")
    elsewhere(keep(people, "2"))
    assert b"chain of 2" in edge.tls().data


class TestToken:
    @pytest.mark.parametrize(
        "path", ["/internal/tls?server_name=x.test", "/internal/ask?domain=x.test"]
    )
    def test_nobody_without_it(self, edge: Edge, path: str) -> None:
        for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic !"}):
            assert edge.client.get(path, headers=headers).status_code == 404
        assert edge.client.get(f"{path}&token=").status_code == 404

    def test_as_the_password_of_the_address(self, edge: Edge) -> None:
        """How Caddy sends it, which can set no header here."""
        password = base64.b64encode(f"edge:{edge.planes.settings.internal_token}".encode())
        headers = {"Authorization": f"Basic {password.decode()}"}
        answer = edge.client.get("/internal/tls?server_name=x.test", headers=headers)
        assert answer.status_code == 204

    def test_not_on_the_planes_of_visitors(self, edge: Edge, planes: Planes) -> None:
        for app in (planes.serving, planes.admin):
            answer = app.test_client().get("/internal/tls?server_name=x", headers=edge.headers)
            assert answer.status_code in (404, 421)


class TestAsk:
    """Which names an edge may get certificates for by itself."""

    def begin(self, edge: Edge, hashed_id: str, kind: Deployment.Kinds) -> str:
        with edge.planes.worker.app_context():
            query = db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
            llm_client = db.session.scalars(query).one()
            deployment.begin(llm_client, kind, utc_now(), None)
            db.session.commit()
            return llm_client.default_host

    def set(self, edge: Edge, **columns: Any) -> None:
        with edge.planes.worker.app_context():
            llm_client = db.session.scalars(db.select(LLMClient)).one()
            for name, value in columns.items():
                setattr(llm_client, name, value)
            db.session.commit()

    def test_a_host_that_is_being_opened_or_is_open(
        self, edge: Edge, make_client: MakeClient
    ) -> None:
        hashed_id = make_client("guide")
        host = self.begin(edge, hashed_id, Deployment.Kinds.DEPLOY)
        assert edge.may(host) == 404
        self.set(edge, dns_verification_status=LLMClient.DnsVerificationStatusChoices.VERIFIED)
        assert edge.may(host) == 200
        with edge.planes.worker.app_context():
            db.session.scalars(db.select(LLMClientHost)).one().is_open = True
            db.session.commit()
        assert edge.may(host) == 200
        self.begin(edge, hashed_id, Deployment.Kinds.UNDEPLOY)
        assert edge.may(host) == 404

    @pytest.mark.parametrize("host", ["", "evil.example.com", "*.example.com", "a b", "x" * 300])
    def test_nobody_else(self, edge: Edge, host: str) -> None:
        assert edge.may(host) == 404

    def test_the_last_answer_holds_while_the_database_is_away(
        self, edge: Edge, make_client: MakeClient, elsewhere: Write
    ) -> None:
        host = self.begin(edge, make_client("guide"), Deployment.Kinds.DEPLOY)
        self.set(edge, dns_verification_status=LLMClient.DnsVerificationStatusChoices.VERIFIED)
        assert (edge.may(host), edge.may("evil.example.com")) == (200, 404)
        elsewhere(forget)
        with edge.without_database():
            assert (edge.may(host), edge.may("evil.example.com")) == (200, 503)


def test_names_that_strangers_make_up_drive_out_no_other(
    edge: Edge, elsewhere: Write, people: People
) -> None:
    elsewhere(keep(people))
    assert edge.tls().status_code == 200
    known = edge.planes.internal.extensions["portal_last_known"]
    before = len(known._answers)
    for number in range(50):
        assert edge.tls(f"n{number}.example.net").status_code == 204
    assert len(known._answers) == before


def test_what_was_taken_off_does_not_come_back_when_the_database_goes(
    edge: Edge, elsewhere: Write, people: People
) -> None:
    elsewhere(keep(people))
    assert edge.tls().status_code == 200
    elsewhere(lambda: store.stop_serving(HOST))
    assert edge.tls().status_code == 204
    elsewhere(forget)
    with edge.without_database():
        assert edge.tls().status_code == 503


class TestWithinFiftyMilliseconds:
    """Over loopback, on a real socket; a handshake waits for this."""

    @pytest.fixture
    def ask(self, edge: Edge) -> Iterator[Callable[[str], float]]:
        server = make_server(LOOPBACK, 0, edge.planes.internal, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        pool = urllib3.HTTPConnectionPool(LOOPBACK, server.server_port)

        def cost(path: str) -> float:
            """What one request costs client and server together: others' load does not count."""
            started = time.process_time()
            for _ in range(ASKED):
                assert pool.request("GET", path, headers=edge.headers).status == 200
            return (time.process_time() - started) / ASKED

        yield cost
        pool.close()
        server.shutdown()
        thread.join()
        server.server_close()

    def test_with_the_database_and_without(
        self, edge: Edge, ask: Callable[[str], float], elsewhere: Write, people: People
    ) -> None:
        elsewhere(keep(people))
        path = f"/internal/tls?server_name={HOST}"
        assert ask(path) < 0.02
        elsewhere(forget)
        with edge.without_database():
            assert ask(path) < 0.02

    def test_a_database_that_lets_everybody_wait_is_waited_for_once(
        self, edge: Edge, elsewhere: Write, people: People
    ) -> None:
        elsewhere(keep(people))
        assert edge.tls().status_code == 200
        elsewhere(forget)
        with edge.without_database(after_seconds=0.3):
            started = time.monotonic()
            assert all(edge.tls().status_code == 200 for _ in range(10))
            assert 0.3 <= time.monotonic() - started < 2.5


class TestProofs:
    """What hosts answer to a certificate authority."""

    def show(self, planes: Planes, host: str = HOST) -> None:
        with planes.worker.app_context():
            challenges.show(host, [Challenge("http-01", host, TOKEN, f"{TOKEN}.thumb")])
            db.session.commit()

    def ask(self, planes: Planes, host: str, token: str = TOKEN) -> Any:
        path = f"/.well-known/acme-challenge/{token}"
        return planes.serving.test_client().get(path, base_url=f"http://{host}")

    def test_a_host_that_is_not_open_yet_answers(self, planes: Planes, database: None) -> None:
        self.show(planes)
        for host in (HOST, HOST.upper(), f"{HOST}:80", f"{HOST}."):
            answer = self.ask(planes, host)
            assert (answer.status_code, answer.get_data(as_text=True)) == (200, f"{TOKEN}.thumb")
            assert answer.mimetype == "text/plain"

    def test_no_other_host_and_no_other_token(self, planes: Planes, database: None) -> None:
        self.show(planes)
        assert self.ask(planes, "other.example.com").status_code == 404
        for token in ("u" * 43, TOKEN + "x", TOKEN[:-1], "", "..%2f" + TOKEN, f"{TOKEN}/", "a"):
            assert self.ask(planes, HOST, token).status_code == 404

    def test_nothing_else_on_that_path(self, planes: Planes, database: None) -> None:
        self.show(planes)
        client = planes.serving.test_client()
        path = f"/.well-known/acme-challenge/{TOKEN}"
        assert client.post(path, base_url=f"http://{HOST}").status_code == 405
        listing = client.get("/.well-known/acme-challenge/", base_url=f"http://{HOST}")
        assert listing.status_code == 404
