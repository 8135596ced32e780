"""Every route of the admin plane and the API for everybody who may come, with every kind of id.

What is expected is worked out from what each route declares, never written down here: whose role is
not enough is refused before anything is looked up, and a foreign id is answered as an absent one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal.accounts.models import Account, Role, User, UserProfile
from portal.database import db, utc_now
from portal.llm_clients.models import LLMClient
from portal.people import personal_tokens
from portal.vault import keys
from portal.web import ANYBODY, SIGNED_IN, SUPERUSER, permission_of
from tests.people import PASSWORD_HASH, People, Person
from tests.planes import Planes
from tests.test_routes import ABSENT, Things, rules, things

pytestmark = pytest.mark.long
assert things  # a fixture

RANKS = {SIGNED_IN: 0, "viewer": 0, "member": 1, "admin": 2, SUPERUSER: 3}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# In place of an id: what no converter takes, and numbers that no row has.
MALFORMED = ("0", "-1", "1.5", "9" * 30, "%00", "..%2f1", "1'--", "%F0%9F%98%80", "x" * 3_000)
# Not of one account: what each person has of their own, and what comes by mail.
OWN = {"session_id", "link_token", "token", "entered_id"}


@dataclass(frozen=True)
class Caller:
    """Somebody: the rank of their role in their own account, and how they ask."""

    name: str
    rank: int
    is_of_the_account: bool
    ask: Callable[[str, str], Any]


@pytest.fixture
def other_member(planes: Planes, people: People) -> Person:
    """Works in the stranger's account."""
    with planes.worker.app_context():
        account = db.session.get_one(Account, people.charlie.account_id)
        user = User(username="dora", password_hash=PASSWORD_HASH)
        profile = UserProfile(user=user, account=account, role=Role.MEMBER)
        db.session.add_all([user, profile])
        db.session.commit()
        return Person(user.id, profile.id, account.id, "dora")


def in_a_browser(people: People, person: Person) -> Callable[[str, str], Any]:
    browser = people.browser(person)
    token = browser.token()
    return lambda method, path: browser.raw(method, path, data={"csrf_token": token})


def with_a_token(planes: Planes, person: Person, *, may_write: bool = True) -> Any:
    """A program of the person's."""
    with planes.worker.app_context():
        profile, now = db.session.get_one(UserProfile, person.profile_id), utc_now()
        made = personal_tokens.make(profile, "test", may_write, now + timedelta(days=1), now)
        db.session.commit()
    return bearer(planes.api, planes, made.text)


def bearer(app: Flask, planes: Planes, text: str) -> Callable[[str, str], Any]:
    client, base = app.test_client(), planes.settings.platform_url
    headers = {"Authorization": f"Bearer {text}"} if text else {}

    def ask(method: str, path: str) -> Any:
        sent: dict[str, Any] = {} if method == "GET" else {"json": {}}
        return client.open(path, method=method, base_url=base, headers=headers, **sent)

    return ask


def callers(planes: Planes, people: People, other: Person, app: Flask) -> list[Caller]:
    """Everybody with a role: other admin, other member, own member, own viewer."""
    known = (
        ("other admin", people.charlie, 2, False),
        ("other member", other, 1, False),
        ("own member", people.bob, 1, True),
        ("own viewer", people.vera, 0, True),
    )
    return [
        Caller(
            name,
            rank,
            is_own,
            in_a_browser(people, person) if app is planes.admin else with_a_token(planes, person),
        )
        for name, person, rank, is_own in known
    ]


def calls(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Rule, method, and what it wants."""
    for rule in rules(app):
        declared = permission_of(app, rule.endpoint)
        assert declared is not None, rule
        if declared.least != ANYBODY:
            for method in METHODS:
                if method in (rule.methods or set()):
                    yield rule, method, declared.least


def paths(app: Flask, rule: Rule, found: Things) -> Iterator[tuple[str, str]]:
    """Kind of id, and the address with it."""
    yield "foreign", found.path(app, rule)
    yield "absent", Things(**ABSENT).path(app, rule)
    marker = {name: f"@{name}@" for name in rule.arguments}
    plain = rule.rule
    for name in rule.arguments:
        start = plain.index("<")
        plain = plain[:start] + marker[name] + plain[plain.index(">") + 1 :]
    for bad in MALFORMED:
        path = plain
        for mark in marker.values():
            path = path.replace(mark, bad)
        yield "malformed", path


@pytest.fixture(params=["admin", "api"])
def app(request: pytest.FixtureRequest, planes: Planes) -> Flask:
    found: Flask = getattr(planes, request.param)
    return found


def test_everybody_with_a_role_gets_what_the_table_says(
    app: Flask, planes: Planes, people: People, other_member: Person, things: Things
) -> None:
    before, checked, wrong = everything(planes), 0, []
    everybody = callers(planes, people, other_member, app)
    for rule, method, least in calls(app):
        if not rule.arguments or rule.arguments <= OWN | {"kind", "part", "number"}:
            continue
        for caller in everybody:
            for kind, path in paths(app, rule, things):
                if caller.is_of_the_account and kind == "foreign":
                    continue  # it is theirs
                answer = caller.ask(method, path)
                may = caller.rank >= RANKS[least]
                fine = {404} if may else {403}
                if kind == "malformed":  # where it is no route at all, nobody's role is asked
                    fine |= {404, 400, 405}
                if answer.status_code not in fine or b"secret_client" in answer.data:
                    wrong.append(f"{caller.name}: {method} {path[:80]}: {answer.status_code}")
                checked += 1
    assert wrong == []
    assert checked > 200
    assert everything(planes) == before


def test_who_is_nobody_here_is_asked_to_sign_in(
    app: Flask, planes: Planes, people: People, things: Things
) -> None:
    """Nobody, and whoever has nothing but a client's key, or a token that was revoked."""
    key_text = a_client_key(planes, people)
    texts = ["", key_text, "portal_" + "x" * 40, "x"]
    before, wrong = everything(planes), []
    for rule, method, _ in calls(app):
        for kind, path in paths(app, rule, things):
            for text in texts:
                answer = bearer(app, planes, text)(method, path)
                fine = {401} if app is planes.api else {303, 400, 401}
                if kind == "malformed":
                    fine |= {404, 400, 405}
                if answer.status_code not in fine or b"secret_client" in answer.data:
                    wrong.append(f"{text[:10]!r}: {method} {path[:80]}: {answer.status_code}")
    assert wrong == []
    assert everything(planes) == before


def test_who_was_removed_is_refused_everywhere(
    app: Flask, planes: Planes, people: People, things: Things
) -> None:
    ask = (
        in_a_browser(people, people.bob)
        if app is planes.admin
        else with_a_token(planes, people.bob)
    )
    people.browser(people.alice).post(f"/users/{people.bob.profile_id}/remove")
    wrong = []
    for rule, method, _ in calls(app):
        if rule.endpoint == "accounts.logout":
            continue
        for kind, path in paths(app, rule, things):
            answer = ask(method, path)
            fine = {401, 403} | ({404, 400, 405} if kind == "malformed" else set())
            if answer.status_code not in fine or b"secret_client" in answer.data:
                wrong.append(f"{method} {path[:80]}: {answer.status_code}")
    assert wrong == []


def test_a_token_that_may_only_read_changes_nothing(
    planes: Planes, people: People, things: Things
) -> None:
    ask = with_a_token(planes, people.alice, may_write=False)
    before = everything(planes)
    for rule, method, _ in calls(planes.api):
        if method != "GET":
            answer = ask(method, things.path(planes.api, rule))
            assert answer.status_code == 403, f"{method} {rule}: {answer.status_code}"
    assert everything(planes) == before


def a_client_key(planes: Planes, people: People) -> str:
    """Opens the client that is asked for, on its own host; nothing here."""
    with planes.worker.app_context():
        alice = db.session.get_one(User, people.alice.user_id)
        made = keys.make(people.alice.account_id, "program", alice, None)
        assert db.session.scalars(db.select(LLMClient)).first() is not None
        db.session.commit()
        return made.text


NOTED = {"user_sessions", "personal_tokens"}  # when each was last seen


def everything(planes: Planes) -> dict[str, list[Any]]:
    with planes.worker.app_context():
        tables = [table for table in db.metadata.sorted_tables if table.name not in NOTED]
        found = {table.name: db.session.execute(db.select(table)).all() for table in tables}
        db.session.rollback()
        return found
