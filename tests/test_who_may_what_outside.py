"""Every route of the serving and the internal plane for everybody who may come, with every kind of
id. What is expected is one rule: without the client's own key a route answers 401, or is in OPEN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.routing import Rule

from portal.accounts.models import User
from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.vault import keys
from portal.vault.models import AuthToken
from tests.people import MakeClient, People, Person
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor, Visitor, make_visitor
from tests.serving.keys import make_key
from tests.test_routes import rules
from tests.test_who_may_what import MALFORMED, with_a_token

pytestmark = pytest.mark.long
assert make_visitor  # a fixture

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SECRET_ROLE = "The word of the house is Quendel."
# What tells nothing of a client that wants a key, with what it answers to anybody.
OPEN = {
    "serving.robots": 200,
    "embedding.script": 200,  # the same text for every client
    "identity.show": 200,  # that this host is ours: asked by the checks of a domain
    "serving.new_chat": 303,  # to the page, which wants the key
    "embedding.new_chat": 303,
    "serving.image": 404,  # no such image
    "proofs.show": 404,  # no order is open
    "openai.unknown": 404,
    "serving_manifests.manifest": 404,  # wants a personal token of the account
}
# The same on any host, because nothing of a client is looked at.
OF_NO_CLIENT = {"serving.robots", "serving.new_chat", "embedding.new_chat"}
ITS_OWN_TOKEN = ("an admin's personal token", "serving_manifests.manifest")
BODY = {"message": "hi", "model": "demo", "messages": [{"role": "user", "content": "hi"}]}


@dataclass(frozen=True)
class Caller:
    """Somebody in front of the serving plane, each from an address of their own."""

    name: str
    headers: dict[str, str]
    number: int

    def ask(self, planes: Planes, method: str, url: tuple[str, str]) -> Any:
        base, path = url
        sent: dict[str, Any] = {} if method == "GET" else {"json": BODY}
        return planes.serving.test_client().open(
            path,
            method=method,
            base_url=base,
            headers=self.headers,
            environ_overrides={"REMOTE_ADDR": f"192.0.2.{self.number}"},
            **sent,
        )


@dataclass(frozen=True)
class Scene:
    """A client with its key, and who else there is."""

    planes: Planes
    visitor: Visitor
    own_key: str
    others: list[Caller]

    @property
    def owner(self) -> Caller:
        return Caller("own key", bearer(self.own_key), 99)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"} if text else {}


@pytest.fixture
def scene(
    planes: Planes, people: People, make_client: MakeClient, make_visitor: MakeVisitor
) -> Scene:
    visitor = make_visitor("guide", default_system_role=SECRET_ROLE)
    sister = make_visitor("sister")
    own, revoked, foreign = make_key(visitor), make_key(visitor, "old"), make_key(sister)
    charlies = key_of(planes, people.charlie)
    revoke(planes, "old")
    headers = {
        "nobody": {},
        "nonsense": bearer("x"),
        "a key that never was": bearer("portal_" + "x" * 40),
        "a key of the client's sister": bearer(foreign),
        "another account's key": bearer(charlies),
        "a revoked key": bearer(revoked),
        "an admin's personal token": bearer(token_text(planes, people.alice)),
        "another admin's personal token": bearer(token_text(planes, people.charlie)),
        "an admin's session": {"Cookie": cookie_of(people, people.alice)},
    }
    others = [Caller(name, sent, at) for at, (name, sent) in enumerate(headers.items(), 1)]
    return Scene(planes, visitor, own, others)


def key_of(planes: Planes, person: Person) -> str:
    with planes.worker.app_context():
        user = db.session.get_one(User, person.user_id)
        made = keys.make(person.account_id, "theirs", user, None)
        db.session.commit()
        return made.text


def revoke(planes: Planes, name: str) -> None:
    with planes.worker.app_context():
        keys.revoke(db.session.scalars(db.select(AuthToken).filter_by(name=name)).one())
        db.session.commit()


def token_text(planes: Planes, person: Person) -> str:
    """What a program of the person presents to the API."""
    seen: list[str] = []
    ask: Callable[..., Any] = with_a_token(planes, person)
    for cell in ask.__closure__ or ():
        value = cell.cell_contents
        if isinstance(value, dict) and "Authorization" in value:
            seen.append(value["Authorization"].removeprefix("Bearer "))
    [text] = seen
    return text


def cookie_of(people: People, person: Person) -> str:
    found = people.browser(person)._client.get_cookie("portal_session", domain="localhost")
    assert found is not None
    return f"portal_session={found.value}"


def calls(scene: Scene) -> Iterator[tuple[Rule, str]]:
    for rule in rules(scene.planes.serving):
        for method in METHODS:
            if method in (rule.methods or set()):
                yield rule, method


def url_of(scene: Scene, rule: Rule, public_id: str = "", rest: str = "") -> tuple[str, str]:
    """Base and path: on the client's own host, or with its id on the platform's."""
    values = {
        "public_id": public_id or scene.visitor.hashed_id,
        "rest": rest or "nothing",
        "model_id": rest or "demo",
        "token": rest or "a" * 40,
        "digest": rest or "b" * 64,
    }
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], rule.rule)
    if "public_id" in rule.arguments:
        return scene.planes.settings.platform_url, path
    return scene.visitor.base, path


def test_without_the_clients_own_key_nothing_of_it_is_told(scene: Scene) -> None:
    wrong, checked = [], 0
    for rule, method in calls(scene):
        expected = OPEN.get(rule.endpoint, 401)
        for caller in scene.others:
            if (caller.name, rule.endpoint) == ITS_OWN_TOKEN:
                continue
            answer = caller.ask(scene.planes, method, url_of(scene, rule))
            if answer.status_code != expected or tells(scene, answer):
                wrong.append(f"{caller.name}: {method} {rule}: {answer.status_code}")
            checked += 1
    assert wrong == []
    assert checked > 300


def tells(scene: Scene, answer: Any) -> bool:
    """Whether something of the client's inside is in it."""
    text = answer.get_data(as_text=True)
    cookies = [line for line in answer.headers.getlist("Set-Cookie") if "Max-Age=0" not in line]
    return "Quendel" in text or scene.own_key in text or bool(cookies)


def test_with_the_clients_own_key_every_route_answers(scene: Scene) -> None:
    wrong = []
    for rule, method in calls(scene):
        answer = scene.owner.ask(scene.planes, method, url_of(scene, rule))
        answer.get_data()
        if answer.status_code in (401, 403) or answer.status_code >= 500:
            wrong.append(f"{method} {rule}: {answer.status_code}")
    assert wrong == []


def test_an_own_key_opens_no_other_client(
    scene: Scene, planes: Planes, people: People, make_visitor: MakeVisitor
) -> None:
    """Of another account, or one that is nowhere; and no host but one's own."""
    foreign = make_visitor("theirs", owner=people.charlie, default_system_role=SECRET_ROLE)
    make_key(foreign)
    wrong = []
    for rule, method in calls(scene):
        asked = [(OPEN.get(rule.endpoint, 401), _at(foreign, scene, rule))]
        if "public_id" in rule.arguments:
            asked.append((404, url_of(scene, rule, public_id="z" * 20)))
            asked.append((404, url_of(scene, rule, public_id="999999")))
        else:
            base = f"http://nobody-here.{planes.settings.base_api_domain}"
            expected = OPEN[rule.endpoint] if rule.endpoint in OF_NO_CLIENT else 404
            asked.append((expected, (base, url_of(scene, rule)[1])))
        for expected, url in asked:
            answer = scene.owner.ask(planes, method, url)
            if answer.status_code != expected or "Quendel" in answer.get_data(as_text=True):
                wrong.append(f"{method} {url}: {answer.status_code}, not {expected}")
    assert wrong == []


def _at(visitor: Visitor, scene: Scene, rule: Rule) -> tuple[str, str]:
    base, path = url_of(scene, rule, public_id=visitor.hashed_id)
    return (base if "public_id" in rule.arguments else visitor.base), path


@pytest.mark.parametrize("who", ["nobody", "own key"])
def test_what_is_no_id_is_nowhere(who: str, scene: Scene) -> None:
    caller = scene.owner if who == "own key" else scene.others[0]
    wrong = []
    for rule, method in calls(scene):
        if not rule.arguments:
            continue
        for bad in MALFORMED:
            answer = caller.ask(scene.planes, method, url_of(scene, rule, bad, bad))
            fine = {400, 404, 405} | ({401} if {"rest", "model_id"} & rule.arguments else set())
            if answer.status_code not in fine or "Quendel" in answer.get_data(as_text=True):
                wrong.append(f"{method} {rule} {bad[:20]}: {answer.status_code}")
    assert wrong == []


def test_nobody_who_was_refused_left_anything_but_a_refusal(scene: Scene) -> None:
    for rule, method in calls(scene):
        for caller in scene.others:
            caller.ask(scene.planes, method, url_of(scene, rule))
    with scene.planes.worker.app_context():
        client = db.session.get_one(LLMClient, scene.visitor.client_id)
        rows = db.session.execute(
            db.text("SELECT DISTINCT status FROM llm_client_requests WHERE llm_client_id = :id"),
            {"id": client.id},
        )
        assert {row[0] for row in rows} <= {401}


INTERNAL = ("/internal/tls?server_name={host}", "/internal/ask?domain={host}")


def internal(planes: Planes, method: str, path: str, **headers: str) -> Any:
    base = f"http://127.0.0.1:{planes.settings.internal_port}"
    return planes.internal.test_client().open(path, method=method, base_url=base, headers=headers)


def test_the_internal_plane_is_not_there_without_its_token(
    scene: Scene, planes: Planes, people: People
) -> None:
    """Whatever else somebody has; and a name that is there looks like one that is not."""
    token = planes.settings.internal_token
    callers = [caller.headers for caller in [*scene.others, scene.owner]]
    callers += [bearer(f"{token}x"), bearer(token[:-1]), {"Authorization": "Basic Og=="}]
    checked = {rule.endpoint for rule in rules(planes.internal)}
    assert checked == {"edge.health", "edge.certificate", "edge.ask"}
    for path in INTERNAL:
        for host in (scene.visitor.host, "nobody.example", "", *MALFORMED):
            for headers in callers:
                for method in METHODS:
                    answer = internal(planes, method, path.format(host=host), **headers)
                    expected = {404} if method == "GET" else {404, 405}
                    assert answer.status_code in expected | ({400} if "%00" in host else set())
                    assert b"PRIVATE" not in answer.data


def test_the_internal_plane_answers_its_token_whatever_the_name(
    scene: Scene, planes: Planes
) -> None:
    headers = bearer(planes.settings.internal_token)
    for path in INTERNAL:
        for host in (scene.visitor.host, "nobody.example", "", *MALFORMED):
            answer = internal(planes, "GET", path.format(host=host), **headers)
            fine = {200, 204, 404} | ({400} if "%00" in host else set())
            assert answer.status_code in fine, host
            is_ours = host == scene.visitor.host
            assert is_ours or answer.status_code != 200


def test_a_sign_of_health_tells_nothing_else(scene: Scene, planes: Planes) -> None:
    for caller in scene.others:
        answer = internal(planes, "GET", "/healthz", **caller.headers)
        assert answer.get_json() == {"status": "ok"}
        assert "Set-Cookie" not in answer.headers
    for method in METHODS[1:]:
        assert internal(planes, method, "/healthz").status_code == 405
