"""The first run: no page makes an admin, and no password is known beforehand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from portal import installation
from portal.accounts import opening, passwords
from portal.accounts.models import Account, User
from portal.app import create_worker_app
from portal.cli import main
from portal.database import db, utc_now
from portal.errors import PortalError
from portal.people import one_time_links
from portal.people.models import Purpose
from portal.settings import Settings, SettingsError
from portal.web import permission_table
from tests.people import Browser, Page, People
from tests.planes import Planes

OWN = "eleven patient lanterns"
PRODUCTION = {
    "PORTAL_ENVIRONMENT": "prod",
    "PORTAL_ROOT_DOMAIN": "example.com",
    "PORTAL_SECRET_KEY": "s" * 40,
    "PORTAL_ENCRYPTION_KEYS": "k",
    "PORTAL_INTERNAL_TOKEN": "t",
    "PORTAL_TSIG_SECRET": "t",
    "REDIS_URL": "redis://127.0.0.1",
}


def stranger(app: Flask) -> Browser:
    return Browser(app, app.test_client())


def test_a_portal_without_people_shows_a_stranger_the_sign_in_and_nothing_else(
    planes: Planes,
) -> None:
    browser, seen = stranger(planes.admin), set()
    for route in permission_table(planes.admin):
        if "GET" in route.methods and "<" not in route.path:
            answer = browser.raw("GET", route.path)
            seen.add((answer.status_code, answer.headers.get("Location", "").partition("?")[0]))
            forms = {form.get("action") for form in Page(answer).html.select("form")}
            assert forms <= {"/login", "/login/passkey", None}, route.path
    assert seen == {(200, ""), (303, "/login"), (404, "")}


@pytest.mark.parametrize("password", ["", "admin", "password", "changeme", " "])
def test_no_password_is_known_beforehand(password: str, planes: Planes) -> None:
    installation.open_first_account(planes.worker, planes.settings)
    answer = stranger(planes.admin).post(
        "/login", {"username": "admin", "password": password}, 401 if password else 422
    )
    assert "is not right" in answer.words


def test_the_first_password_is_random_and_told_once(planes: Planes) -> None:
    password = installation.open_first_account(planes.worker, planes.settings)
    assert password is not None
    assert len(password) == 16
    assert installation.open_first_account(planes.worker, planes.settings) is None
    with planes.worker.app_context():
        assert db.session.query(Account).count() == 1
        user = db.session.scalars(db.select(User)).one()
        assert user.is_superuser
        assert password not in str(vars(user))
        assert passwords.matches(password, user.password_hash)


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_SECRET_KEY", ""),
        ("PORTAL_SECRET_KEY", "short"),
        ("PORTAL_ENCRYPTION_KEYS", ""),
        ("PORTAL_INTERNAL_TOKEN", ""),
        ("PORTAL_ADMIN_PASSWORD", "admin"),
    ],
)
def test_a_public_portal_does_not_start_with_weak_secrets(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environ({**PRODUCTION, name: value})


def test_the_operator_helps_whoever_is_locked_out(
    planes: Planes,
    people: People,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = planes.settings
    values = {
        "DATABASE_URL": settings.database_url,
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_ENCRYPTION_KEYS": settings.encryption_keys[0],
        "PORTAL_SECRET_KEY": settings.secret_key,
        "PORTAL_PORT": str(settings.port),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    alice = people.browser(people.alice)
    assert main(["reset-password", "Alice"]) == 0
    link = capsys.readouterr().out.split()[0]
    browser = people.browser()
    browser.raw("GET", link.removeprefix(settings.platform_url))
    new = {"password": "eleven patient lanterns", "again": "eleven patient lanterns"}
    browser.post("/reset-password", new)
    alice.get("/", 303)
    assert main(["remove-second-factor", "alice"]) == 0
    assert main(["reset-password", "nobody"]) == 2
    assert "no user named nobody" in capsys.readouterr().err


def started(planes: Planes) -> str:
    """The first password, as the terminal shows it."""
    password = installation.open_first_account(planes.worker, planes.settings)
    assert password is not None
    return password


def signed_in(planes: Planes, password: str) -> Browser:
    browser = stranger(planes.admin)
    browser.post("/login", {"username": "admin", "password": password})
    return browser


def test_the_first_password_only_chooses_another_one(planes: Planes) -> None:
    first = started(planes)
    browser = signed_in(planes, first)
    for path in ("/", "/llm-clients/", "/users/", "/account/tokens", "/account/passkeys"):
        assert browser.get(path, 303).location == "/account/password"
    refused = browser.post("/llm-clients/new", {"name": "early"}, 403)
    assert "Choose one of your own first" in refused.words
    assert "made by the portal" in browser.get("/account/password").words
    kept = {"current": first, "password": first, "again": first}
    assert "Choose one of your own" in browser.post("/account/password", kept, 422).words
    chosen = browser.post("/account/password", {"current": first, "password": OWN, "again": OWN})
    assert chosen.location == "/", "to what there is to do"
    browser.follow(chosen)
    stranger(planes.admin).post("/login", {"username": "admin", "password": first}, 401)
    signed_in(planes, OWN).get("/")


def test_where_a_second_factor_is_wanted_the_password_comes_first(planes: Planes) -> None:
    """As in public, where every new account wants one: neither page leads back to the other."""
    first = started(planes)
    with planes.worker.app_context():
        db.session.scalars(db.select(Account)).one().requires_second_factor = True
        db.session.commit()
    browser = signed_in(planes, first)
    assert browser.get("/", 303).location == "/account/password"
    browser.get("/account/password")
    browser.post("/account/password", {"current": first, "password": OWN, "again": OWN})
    assert browser.get("/", 303).location == "/account/second-factor"
    browser.get("/account/second-factor")


def test_the_first_password_is_over_after_72_hours(planes: Planes) -> None:
    first, soon = started(planes), utc_now() + opening.FIRST_PASSWORD
    with time_machine.travel(soon - timedelta(minutes=1), tick=False):
        signed_in(planes, first)
    with time_machine.travel(soon, tick=False):
        values = {"username": "admin", "password": first}
        page = stranger(planes.admin).post("/login", values, 401)
        assert "good for 72 hours" in page.words
        other = stranger(planes.admin).post("/login", {**values, "password": f"{first}x"}, 401)
        assert "is not right" in other.words


def test_a_link_does_not_make_the_first_password_last(planes: Planes) -> None:
    first = started(planes)
    with planes.worker.app_context():
        user = db.session.scalars(db.select(User)).one()
        token = one_time_links.make(user, Purpose.PASSWORD, utc_now())
        db.session.commit()
    browser = stranger(planes.admin)
    browser.raw("GET", f"/reset-password/{token}")
    kept = browser.post("/reset-password", {"password": first, "again": first}, 422)
    assert "Choose one of your own" in kept.words
    browser.post("/reset-password", {"password": OWN, "again": OWN})
    signed_in(planes, OWN).get("/")


def test_a_password_that_the_operator_chose_stays(planes: Planes) -> None:
    chosen = replace(planes.settings, admin_password=OWN)
    assert installation.open_first_account(planes.worker, chosen) is None
    signed_in(planes, OWN).get("/")


@pytest.mark.parametrize("is_local", [True, False])
def test_in_public_an_account_begins_with_a_second_factor_for_all(
    is_local: bool, planes: Planes
) -> None:
    app = planes.worker if is_local else create_worker_app(replace(planes.settings, is_local=False))
    with app.app_context():
        account = opening.open_account("Birkenhof", "nora", OWN, "UTC")
        db.session.commit()
        assert account.requires_second_factor is not is_local
        db.session.remove()
        if not is_local:
            db.engine.dispose()
    browser = stranger(planes.admin)
    browser.post("/login", {"username": "nora", "password": OWN})
    if is_local:
        browser.get("/")
    else:
        assert browser.get("/", 303).location == "/account/second-factor"


def test_the_operator_may_not_choose_a_common_one_in_public(planes: Planes) -> None:
    chosen = replace(planes.settings, admin_password="basketball", is_local=False)  # noqa: S106
    with pytest.raises(PortalError, match="many people have"):
        installation.open_first_account(planes.worker, chosen)
