"""A deployed client and a visitor in front of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from portal.caching import cache
from portal.database import db
from portal.dispatching import Dispatcher
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.request_history.models import LLMClientRequests
from tests.people import MakeClient
from tests.planes import LOOPBACK, Outside, Planes


class Visitor:
    """Somebody in front of one client's host."""

    def __init__(self, planes: Planes, host: str, client_id: int, hashed_id: str) -> None:
        self.planes = planes
        self.host = host
        self.client_id = client_id
        self.hashed_id = hashed_id
        self.client = planes.serving.test_client()

    @property
    def base(self) -> str:
        return f"http://{self.host}:{self.planes.settings.port}"

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """A request to the client's host."""
        return self.client.open(path, method=method, base_url=self.base, **options)

    def config(self, key: str = "", path: str = "/config/", **options: Any) -> dict[str, Any]:
        """What the component asks at its start."""
        answer = self.ask("POST", path, json={"session_key": key}, **options)
        assert answer.status_code == 200, answer.data
        found: dict[str, Any] = answer.get_json()["data"]
        return found

    def prompt(self, text: str, key: str = "", path: str = "/prompt/", **options: Any) -> Any:
        """A prompt as the component sends it; the text inside its body, parsed."""
        body = {"session_key": key, "messages": [{"role": "user", "content": text}]}
        answer = self.ask("POST", path, json=body, **options)
        assert answer.status_code == 200, answer.data
        data = answer.get_json()["data"]
        assert data["statusCode"] == 200
        return json.loads(data["body"])

    def rows(self) -> list[LLMClientRequests]:
        """What the history has, oldest first."""
        with self.planes.worker.app_context():
            query = db.select(LLMClientRequests).order_by(LLMClientRequests.id)
            return list(db.session.scalars(query))


MakeVisitor = Callable[..., Visitor]


@pytest.fixture
def make_visitor(planes: Planes, outside: Outside, make_client: MakeClient) -> MakeVisitor:
    """A client that is open on its host, without waiting for its deployment."""

    def make(name: str = "guide", **columns: Any) -> Visitor:
        hashed_id = make_client(name, **columns)
        with planes.worker.app_context():
            query = db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
            llm_client = db.session.scalars(query).one()
            llm_client.published_revision = llm_client.revisions[0]
            llm_client.deployed = True
            llm_client.dns_verification_status = LLMClient.DnsVerificationStatusChoices.VERIFIED
            llm_client.tls_certificate_issuance_status = (
                LLMClient.TlsCertificateIssuanceStatusChoices.ISSUED
            )
            entry = db.session.scalars(
                db.select(LLMClientHost).where(LLMClientHost.llm_client_id == llm_client.id)
            ).one()
            entry.is_open = True
            db.session.commit()
            cache().forget()
            return Visitor(planes, entry.hostname, llm_client.id, hashed_id)

    return make


@pytest.fixture
def visitor(make_visitor: MakeVisitor) -> Visitor:
    return make_visitor()


@pytest.fixture
def port(planes: Planes) -> Iterator[int]:
    """All planes behind one port of this machine."""
    applications = planes.admin, planes.serving, planes.internal, planes.api
    everybody = Dispatcher(*applications, planes.settings)
    server = make_server(LOOPBACK, 0, everybody, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def close(visitor: Visitor) -> None:
    """Visitors of the client are turned away from now on."""
    with visitor.planes.worker.app_context():
        db.session.get_one(LLMClient, visitor.client_id).deployed = False
        db.session.commit()
