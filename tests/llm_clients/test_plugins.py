"""A client's tab "Plugins": attached, ordered, off and on; each change is a revision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.accounts.models import AuditEvent
from portal.database import db
from portal.llm_clients import plugin_attaching
from portal.llm_clients.models import LLMClient, LLMClientRevision
from portal.plugins.models import Plugin
from tests.people import Browser, MakeClient, People
from tests.planes import Planes


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


@pytest.fixture
def plugins(planes: Planes, people: People) -> dict[str, int]:
    """Three of Alice's account and one of Charlie's."""
    with planes.worker.app_context():
        owners = dict.fromkeys(("first", "second", "third"), people.alice.account_id)
        owners["foreign"] = people.charlie.account_id
        rows = [
            Plugin(account_id=account_id, name=name, kind=Plugin.Kinds.STATIC, content={"data": []})
            for name, account_id in owners.items()
        ]
        db.session.add_all(rows)
        db.session.commit()
        return {row.name: row.id for row in rows}


def newest(planes: Planes, hashed_id: str) -> dict[str, Any]:
    with planes.worker.app_context():
        query = db.select(LLMClientRevision).join(
            LLMClient, LLMClient.id == LLMClientRevision.llm_client_id
        )
        query = query.where(LLMClient.hashed_id == hashed_id).order_by(LLMClientRevision.id.desc())
        found: dict[str, Any] = db.session.scalars(query.limit(1)).one().content
        return found


def test_plugins_are_attached_ordered_switched_and_detached(
    alice: Browser, planes: Planes, make_client: MakeClient, plugins: dict[str, int]
) -> None:
    client = make_client("guide")
    path = f"/llm-clients/{client}/plugins"
    page = alice.get(path)
    assert "No plugin is attached" in page.words
    assert len(page.html.select("form[action$='/attach']")) == 3
    for name in ("first", "second", "third"):
        page = alice.follow(alice.post(f"{path}/{plugins[name]}/attach"))
        assert f"{name} is attached in revision" in page.words
    assert newest(planes, client)["plugins"] == [plugins[n] for n in ("first", "second", "third")]
    alice.post(f"{path}/{plugins['third']}/move-up")
    alice.post(f"{path}/{plugins['first']}/switch", {"is_on": "off"})
    assert newest(planes, client)["plugins"] == [plugins["third"], plugins["second"]]
    page = alice.get(path)
    names = [link.get_text() for link in page.html.select("tbody th a")]
    assert names == ["first", "third", "second"]
    assert "Turn on" in page.find("tbody tr").get_text()
    alice.post(f"{path}/{plugins['first']}/switch", {"is_on": "on"})
    alice.post(f"{path}/{plugins['second']}/detach")
    assert newest(planes, client)["plugins"] == [plugins["first"], plugins["third"]]
    with planes.worker.app_context():
        actions = list(db.session.scalars(db.select(AuditEvent.action)))
    assert actions.count("plugins_changed") == 7


def test_a_revision_tells_plugins_by_their_names(
    alice: Browser, make_client: MakeClient, plugins: dict[str, int]
) -> None:
    client = make_client("guide")
    for name in ("first", "second"):
        alice.post(f"/llm-clients/{client}/plugins/{plugins[name]}/attach")
    alice.post(f"/plugins/{plugins['first']}/delete")
    page = alice.get(f"/llm-clients/{client}/revisions/3")
    lines = [line.get_text() for line in page.html.select(".difference li")]
    deleted = f"Deleted plugin {plugins['first']}"
    assert [line.lstrip(" +-") for line in lines] == [deleted, "Added: second"]


def test_doing_it_twice_changes_nothing(
    alice: Browser, planes: Planes, make_client: MakeClient, plugins: dict[str, int]
) -> None:
    client = make_client("guide")
    path = f"/llm-clients/{client}/plugins/{plugins['first']}"
    for action in ("attach", "attach", "move-up", "switch"):
        alice.post(f"{path}/{action}", {"is_on": "on"})
    assert newest(planes, client)["plugins"] == [plugins["first"]]
    for _ in range(2):
        alice.post(f"{path}/detach")
    with planes.worker.app_context():
        numbers = list(db.session.scalars(db.select(LLMClientRevision.number)))
    assert max(numbers) == 3


def test_foreign_plugins_and_clients_are_not_there(
    alice: Browser, people: People, make_client: MakeClient, plugins: dict[str, int]
) -> None:
    client, bobs = make_client("guide"), make_client("bobs", people.bob)
    for action in ("attach", "detach", "switch", "move-up"):
        alice.post(f"/llm-clients/{client}/plugins/{plugins['foreign']}/{action}", expected=404)
        for person, status in ((people.charlie, 404), (people.bob, 403), (people.vera, 403)):
            path = f"/llm-clients/{client}/plugins/{plugins['first']}/{action}"
            people.browser(person).post(path, expected=status)
    bob = people.browser(people.bob)
    bob.post(f"/llm-clients/{bobs}/plugins/{plugins['first']}/attach")
    assert "first" in people.browser(people.vera).get(f"/llm-clients/{bobs}/plugins").words


def test_there_is_an_end_to_plugins(
    planes: Planes,
    people: People,
    make_client: MakeClient,
    stored: Callable[[str], LLMClient],
) -> None:
    llm_client = stored(make_client("guide"))
    rows = [
        Plugin(account_id=people.alice.account_id, name=f"p{number}", kind=Plugin.Kinds.STATIC)
        for number in range(plugin_attaching.MOST_PLUGINS + 1)
    ]
    db.session.add_all(rows)
    db.session.flush()
    outcomes = [plugin_attaching.attach(llm_client, row) for row in rows]
    assert outcomes == [True] * plugin_attaching.MOST_PLUGINS + [False]
