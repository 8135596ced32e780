"""Whoever runs the platform shuts a person out of all of it, and lets them in again."""

from __future__ import annotations

import pytest

from portal.accounts.models import AuditEvent, User
from portal.accounts.signing_in import WRONG
from portal.cli import main
from portal.database import db
from tests.accounts.test_tokens_too import token_of, works
from tests.people import PASSWORD, Browser, People, Person
from tests.planes import Planes


@pytest.fixture
def operator(planes: Planes, people: People) -> Browser:
    """Charlie, who runs the platform and looks into Birkenhof Media."""
    with planes.worker.app_context():
        db.session.get_one(User, people.charlie.user_id).is_superuser = True
        db.session.commit()
    browser = people.browser(people.charlie)
    browser.post(f"/accounts/{people.alice.account_id}/enter")
    return browser


def path_of(person: Person, verb: str) -> str:
    return f"/users/{person.profile_id}/{verb}"


def sign_in(people: People, name: str, expected: int) -> str:
    values = {"username": name, "password": PASSWORD}
    return people.browser().post("/login", values, expected).words


def test_a_disabled_person_is_out_everywhere_at_once(
    planes: Planes, people: People, operator: Browser
) -> None:
    bob, token = people.browser(people.bob), token_of(planes, people.bob)
    assert "in no way" in operator.get(path_of(people.bob, "disable")).words
    page = operator.follow(operator.post(path_of(people.bob, "disable")))
    assert "bob is disabled" in page.words
    assert "may not sign in" in page.words
    assert bob.get("/", 303).location.startswith("/login")
    assert not works(planes, token)
    assert WRONG.message in sign_in(people, "bob", 401)


def test_enabling_lets_in_again_and_revives_nothing(
    planes: Planes, people: People, operator: Browser
) -> None:
    bob, token = people.browser(people.bob), token_of(planes, people.bob)
    operator.post(path_of(people.bob, "disable"))
    page = operator.follow(operator.post(path_of(people.bob, "enable")))
    assert "bob may sign in again" in page.words
    sign_in(people, "bob", 303)
    bob.get("/", 303)
    assert not works(planes, token)


def test_the_last_admin_who_may_sign_in_stays(people: People, operator: Browser) -> None:
    refused = operator.post(path_of(people.alice, "disable"), expected=422)
    assert "An account needs an admin" in refused.words
    operator.post(path_of(people.bob, ""), {"role": "admin"})
    operator.post(path_of(people.bob, "disable"))
    operator.post(path_of(people.alice, "disable"), expected=422)
    operator.post(path_of(people.alice, ""), {"role": "viewer"}, 422)
    people.browser(people.alice).get("/users/")


def test_nobody_disables_themselves(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        db.session.get_one(User, people.alice.user_id).is_superuser = True
        db.session.commit()
    alice = people.browser(people.alice)
    page = alice.post(path_of(people.alice, "disable"), expected=422)
    assert "Nobody disables themselves" in page.words


def test_only_whoever_runs_the_platform_may(people: People) -> None:
    alice, bob = people.browser(people.alice), people.browser(people.bob)
    for verb in ("disable", "enable"):
        alice.post(path_of(people.bob, verb), expected=403)
        bob.post(path_of(people.vera, verb), expected=403)
    assert "Disable" not in alice.get("/users/").words


def test_it_is_in_the_audit_log_of_the_account(
    planes: Planes, people: People, operator: Browser
) -> None:
    operator.post(path_of(people.bob, "disable"))
    operator.post(path_of(people.bob, "enable"))
    with planes.worker.app_context():
        query = db.select(AuditEvent).where(AuditEvent.action.like("user_%abled"))
        found = db.session.scalars(query.order_by(AuditEvent.id)).all()
        assert [event.action for event in found] == ["user_disabled", "user_enabled"]
        assert {event.account_id for event in found} == {people.alice.account_id}
        assert {event.user_id for event in found} == {people.charlie.user_id}


def test_the_same_on_the_command_line(
    planes: Planes,
    people: People,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = planes.settings
    for name, value in {
        "DATABASE_URL": settings.database_url,
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_ENCRYPTION_KEYS": settings.encryption_keys[0],
        "PORTAL_SECRET_KEY": settings.secret_key,
        "PORTAL_PORT": str(settings.port),
    }.items():
        monkeypatch.setenv(name, value)
    bob, token = people.browser(people.bob), token_of(planes, people.bob)
    assert main(["disable-person", "Bob"]) == 0
    bob.get("/", 303)
    assert not works(planes, token)
    assert WRONG.message in sign_in(people, "bob", 401)
    assert main(["enable-person", "bob"]) == 0
    sign_in(people, "bob", 303)
    assert main(["disable-person", "alice"]) == 2
    assert "admin" in capsys.readouterr().err
    with planes.worker.app_context():
        query = db.select(AuditEvent).where(
            AuditEvent.action.in_(("user_disabled", "user_enabled"))
        )
        events = db.session.scalars(query.order_by(AuditEvent.id)).all()
        assert [(one.action, one.by, one.object_name) for one in events] == [
            ("user_disabled", "command", "bob"),
            ("user_enabled", "command", "bob"),
        ]
