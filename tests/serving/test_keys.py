"""Keys in front of a client: the right one opens it, no other, and an end is felt at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from portal.app import create_serving_app
from portal.database import db, utc_now
from portal.llm_clients.models import LLMClientAPIKey
from portal.request_history import key_networks
from portal.request_history.key_networks import APIKeyNetwork
from portal.request_history.models import LLMClientRequests
from portal.serving import served
from portal.serving.endpoints import Endpoint
from portal.vault import tokens
from portal.vault.models import AuthToken
from tests.people import Browser, People
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor, Visitor

BODY = {"messages": [{"role": "user", "content": "x"}]}


@dataclass(frozen=True)
class MadeKey:
    """A key of the account, and its text."""

    id: int
    text: str


MakeKey = Callable[..., MadeKey]


@pytest.fixture
def make_key(planes: Planes) -> MakeKey:
    """A key that is attached to these clients (by number)."""

    def make(account_id: int, *client_ids: int, **columns: Any) -> MadeKey:
        token = tokens.make()
        with planes.worker.app_context():
            row = AuthToken(
                account_id=account_id,
                prefix=token.prefix,
                secret_hash=tokens.digest(token.text),
                name="site",
                **columns,
            )
            db.session.add(row)
            for client_id in client_ids:
                db.session.add(LLMClientAPIKey(llm_client_id=client_id, api_key=row))
            db.session.commit()
            return MadeKey(row.id, token.text)

    return make


@pytest.fixture
def other_process(planes: Planes) -> Iterator[Flask]:
    """A second serving process: same database and Redis, a memory of its own."""
    app = create_serving_app(planes.settings)
    yield app
    with app.app_context():
        db.engine.dispose()


def asked(visitor: Visitor, text: str, app: Flask | None = None) -> int:
    """The status that a prompt with a key gets."""
    client = app.test_client() if app else visitor.client
    headers = {"Authorization": f"Bearer {text}"} if text else {}
    answer = client.post("/prompt/", base_url=visitor.base, json=BODY, headers=headers)
    return int(answer.status_code)


def test_the_right_key_opens_and_is_recorded(
    people: People, visitor: Visitor, make_key: MakeKey
) -> None:
    key = make_key(people.alice.account_id, visitor.client_id)
    assert asked(visitor, key.text) == 200
    assert [row.api_key_id for row in visitor.rows()] == [key.id]


def test_every_other_key_is_refused(
    people: People, visitor: Visitor, make_visitor: MakeVisitor, make_key: MakeKey
) -> None:
    account_id, now = people.alice.account_id, utc_now()
    elsewhere = make_visitor("elsewhere")
    right = make_key(account_id, visitor.client_id)
    ended = now - timedelta(seconds=1)
    refused = {
        "none": "",
        "garbage": "sk-1234",
        "not ASCII": "portal_é",
        "well formed, never made": tokens.make().text,
        "one letter other": right.text[:-1] + ("A" if right.text[-1] != "A" else "B"),
        "only its prefix": right.text.rpartition("_")[0],
        "its hash": tokens.digest(right.text),
        "expired": make_key(account_id, visitor.client_id, expires_at=ended).text,
        "revoked": make_key(account_id, visitor.client_id, is_active=False).text,
        "attached to nothing": make_key(account_id).text,
        "attached to another": make_key(account_id, elsewhere.client_id).text,
        "of another account": make_key(people.charlie.account_id).text,
    }
    for name, text in refused.items():
        assert asked(visitor, text) == 401, name
    assert asked(visitor, right.text) == 200


@pytest.mark.parametrize("path", ["/config/", "/prompt/", "/stream", "/v1/chat/completions"])
def test_every_way_in_wants_the_key(
    people: People, visitor: Visitor, make_key: MakeKey, path: str
) -> None:
    key = make_key(people.alice.account_id, visitor.client_id)
    assert visitor.ask("POST", path, json=BODY).status_code == 401
    headers = {"Authorization": f"bearer  {key.text} "}
    body = {**BODY, "message": "x", "model": "demo"}
    assert visitor.ask("POST", path, json=body, headers=headers).status_code == 200


def test_a_key_in_the_address_opens_nothing(
    people: People, visitor: Visitor, make_key: MakeKey
) -> None:
    key = make_key(people.alice.account_id, visitor.client_id)
    for name in ("api_key", "key", "token", "access_token"):
        answer = visitor.ask("POST", f"/prompt/?{name}={key.text}", json=BODY)
        assert answer.status_code == 401, name


def test_what_is_no_key_is_told_by_its_checksum_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    monkeypatch.setattr(
        served.hmac, "compare_digest", lambda known, given: compared.append(given) or known == given
    )
    token, now = tokens.make(), utc_now()
    client = _served(served.Key(7, tokens.digest(token.text), None))
    assert client.key_of(token.text[:-1] + "!", now) is None
    assert client.key_of("x" * 100_000, now) is None
    assert compared == []
    assert client.key_of(token.text, now).id == 7
    assert compared == [tokens.digest(token.text)]


def _served(*keys: served.Key) -> served.Served:
    return served.Served(
        client_id=1,
        hashed_id="h",
        account_id=1,
        timezone="UTC",
        name="n",
        revision_number=1,
        content={},
        endpoint=Endpoint("demo", "demo"),
        keys=keys,
        hostname="h.example",
        mode=served.Mode.DEFAULT,
        is_open=True,
        request_bodies_days=30,
    )


@pytest.mark.parametrize(
    ("ends", "needs_key"),
    [([], False), ([None], True), ([-1], False), ([1], True), ([-1, 1], True)],
)
def test_a_client_wants_a_key_while_one_is_valid(ends: list[int | None], needs_key: bool) -> None:
    now = utc_now()
    keys = [
        served.Key(number, "h", None if end is None else now + timedelta(minutes=end))
        for number, end in enumerate(ends)
    ]
    assert _served(*keys).needs_key(now) is needs_key


def test_a_key_ends_on_time_though_nothing_changes(
    people: People, visitor: Visitor, make_key: MakeKey
) -> None:
    now = utc_now()
    make_key(people.alice.account_id, visitor.client_id)
    ending = make_key(
        people.alice.account_id, visitor.client_id, expires_at=now + timedelta(minutes=5)
    )
    assert asked(visitor, ending.text) == 200
    with time_machine.travel(now + timedelta(minutes=5, seconds=1)):
        assert asked(visitor, ending.text) == 401


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def test_revoking_is_felt_by_the_next_request_in_every_process(
    alice: Browser, people: People, visitor: Visitor, make_key: MakeKey, other_process: Flask
) -> None:
    account_id = people.alice.account_id
    make_key(account_id, visitor.client_id)
    key = make_key(account_id, visitor.client_id)
    assert asked(visitor, key.text) == asked(visitor, key.text, other_process) == 200
    alice.post(f"/api-keys/{key.id}/revoke")
    assert asked(visitor, key.text, other_process) == 401
    assert asked(visitor, key.text) == 401


def test_attaching_and_detaching_are_felt_in_every_process(
    alice: Browser, people: People, visitor: Visitor, make_key: MakeKey, other_process: Flask
) -> None:
    account_id = people.alice.account_id
    key = make_key(account_id)
    assert asked(visitor, "") == asked(visitor, "", other_process) == 200
    tab = f"/llm-clients/{visitor.hashed_id}/keys/{key.id}"
    alice.post(f"{tab}/attach")
    assert asked(visitor, "", other_process) == asked(visitor, "") == 401
    assert asked(visitor, key.text, other_process) == 200
    make_key(account_id, visitor.client_id)
    alice.post(f"{tab}/detach")
    assert asked(visitor, key.text, other_process) == asked(visitor, key.text) == 401


def test_editing_a_key_is_felt_in_every_process(
    alice: Browser, people: People, visitor: Visitor, make_key: MakeKey, other_process: Flask
) -> None:
    make_key(people.alice.account_id, visitor.client_id)
    key = make_key(people.alice.account_id, visitor.client_id)
    assert asked(visitor, key.text, other_process) == 200
    alice.post(f"/api-keys/{key.id}/edit", {"name": "site"})
    assert asked(visitor, key.text, other_process) == 401


def test_both_keys_open_during_the_overlap_and_one_after(
    alice: Browser, people: People, visitor: Visitor, make_key: MakeKey, other_process: Flask
) -> None:
    old = make_key(people.alice.account_id, visitor.client_id)
    assert asked(visitor, old.text, other_process) == 200
    page = alice.post(f"/api-keys/{old.id}/rotate", {"overlap": "1h", "expiry": "never"}, 200)
    new = page.find("pre.code").get_text()
    for app in (None, other_process):
        assert asked(visitor, new, app) == asked(visitor, old.text, app) == 200
    with time_machine.travel(utc_now() + timedelta(hours=1, seconds=1)):
        assert asked(visitor, new, other_process) == 200
        assert asked(visitor, old.text, other_process) == 401


def test_without_overlap_the_old_key_ends_with_the_next_request(
    alice: Browser, people: People, visitor: Visitor, make_key: MakeKey, other_process: Flask
) -> None:
    old = make_key(people.alice.account_id, visitor.client_id)
    assert asked(visitor, old.text, other_process) == 200
    alice.post(f"/api-keys/{old.id}/rotate", {"overlap": "0", "expiry": "never"}, 200)
    assert asked(visitor, old.text, other_process) == 401


def last_used(planes: Planes, key: MadeKey) -> tuple[datetime | None, datetime]:
    with planes.worker.app_context():
        row = db.session.scalars(db.select(AuthToken).where(AuthToken.id == key.id)).one()
        return row.last_used_at, row.updated_at


def test_the_last_use_is_written_once_a_minute(
    planes: Planes, people: People, visitor: Visitor, make_key: MakeKey
) -> None:
    key, unused = (make_key(people.alice.account_id, visitor.client_id) for _ in range(2))
    before, changed = last_used(planes, key)
    assert before is None
    with time_machine.travel(utc_now(), tick=False) as clock:
        start = utc_now()
        for seconds, expected in ((0, 0), (59, 0), (2, 61), (30, 61), (60, 151)):
            clock.shift(seconds)
            assert asked(visitor, key.text) == 200
            assert last_used(planes, key)[0] == start + timedelta(seconds=expected)
    assert last_used(planes, key)[1] == changed, "being used is no change"
    assert last_used(planes, unused)[0] is None


def test_the_network_of_a_use_is_noted_once_and_not_readable(
    planes: Planes, people: People, visitor: Visitor, make_key: MakeKey
) -> None:
    key_networks._known.clear()
    key = make_key(people.alice.account_id, visitor.client_id)
    for _ in range(3):
        assert asked(visitor, key.text) == 200
    with planes.worker.app_context():
        [row] = db.session.scalars(db.select(APIKeyNetwork)).all()
        assert row.api_key_id == key.id
        assert "127.0.0" not in row.network_hash
        assert row.looked_at is None


def test_being_used_drops_no_cache(
    planes: Planes, people: People, visitor: Visitor, make_key: MakeKey
) -> None:
    key = make_key(people.alice.account_id, visitor.client_id)
    visitor.config(headers={"Authorization": f"Bearer {key.text}"})
    asked_for: list[str] = []
    with planes.serving.app_context():
        engine = db.engine
    listener = lambda *arguments: asked_for.append(arguments[2])  # noqa: E731
    db.event.listen(engine, "before_cursor_execute", listener)
    try:
        for _ in range(3):
            assert asked(visitor, key.text) == 200
    finally:
        db.event.remove(engine, "before_cursor_execute", listener)
    assert [text for text in asked_for if "llm_client_hosts" in text] == []
    assert len([text for text in asked_for if text.startswith("UPDATE auth_tokens")]) == 3


def test_a_refused_key_is_in_no_row(planes: Planes, people: People, visitor: Visitor) -> None:
    presented = tokens.make().text
    asked(visitor, presented)
    with planes.worker.app_context():
        rows = db.session.execute(db.select(LLMClientRequests.__table__)).all()
        assert presented not in str(rows)


def test_a_key_in_a_message_is_not_kept(
    planes: Planes, people: People, visitor: Visitor, make_key: MakeKey
) -> None:
    key = make_key(people.alice.account_id, visitor.client_id)
    headers = {"Authorization": f"Bearer {key.text}"}
    visitor.prompt(f"my key is {key.text}, “really”", headers=headers)
    [row] = visitor.rows()
    assert row.request["message"].endswith("_***, “really”")
    with planes.worker.app_context():
        for table in db.metadata.sorted_tables:
            stored = str(db.session.execute(db.select(table)).all())
            assert key.text[20:60] not in stored, table.name
