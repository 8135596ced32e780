"""Providers and their keys: written once, sealed, never seen again, nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portal.accounts.models import AuditEvent
from portal.database import db
from portal.providers import finding
from portal.providers.models import Provider, ProviderCredential
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes

KEY = "sk-very-secret-0123456789-wxyz"
OTHER_KEY = "sk-another-secret-987654321-abcd"
FILLED = {
    "name": "mine",
    "base_url": "http://127.0.0.1:9/v1",
    "default_model": "small",
    "models": "small\nlarge\n\nsmall",
    "api_key": KEY,
}


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def own(planes: Planes) -> Provider | None:
    with planes.worker.app_context():
        query = db.select(Provider).where(Provider.name == "mine")
        return db.session.scalar(query.options(db.joinedload(Provider.credential)))


def opened_key(planes: Planes) -> str:
    with planes.worker.app_context():
        return finding.key_of(db.session.scalars(db.select(Provider).filter_by(name="mine")).one())


def assert_nowhere(secret: str, planes: Planes, *pages: Page) -> None:
    """The secret is on no page and in no column."""
    for page in pages:
        assert secret not in page.text
    with planes.worker.app_context():
        for table in db.metadata.sorted_tables:
            assert secret not in str(db.session.execute(db.select(table)).all()), table.name


def test_a_key_is_sealed_and_only_its_end_is_ever_shown(planes: Planes, alice: Browser) -> None:
    index = alice.follow(alice.post("/providers/new", FILLED))
    assert "mine is added." in index.words
    assert "Ends in wxyz" in index.words
    provider = own(planes)
    edit = alice.get(f"/providers/{provider.id}/edit")
    assert "A key is stored." in edit.words
    assert edit.find("h1").get_text() == "Edit mine"
    assert edit.find("input[name=api_key]").get("value", "") == ""
    assert_nowhere(KEY, planes, index, edit)
    assert opened_key(planes) == KEY


def test_a_refused_form_does_not_send_the_key_back(planes: Planes, alice: Browser) -> None:
    page = alice.post("/providers/new", {**FILLED, "base_url": "nonsense"}, expected=422)
    assert "starts with https://" in page.find("#base_url-error").get_text()
    assert page.find("input[name=name]")["value"] == "mine"
    assert_nowhere(KEY, planes, page)


def test_an_empty_key_keeps_the_stored_one_and_another_replaces_it(
    planes: Planes, alice: Browser
) -> None:
    alice.post("/providers/new", FILLED)
    path = f"/providers/{own(planes).id}/edit"
    alice.post(path, {**FILLED, "api_key": "", "default_model": "large"})
    assert opened_key(planes) == KEY
    alice.post(path, {**FILLED, "api_key": OTHER_KEY})
    assert opened_key(planes) == OTHER_KEY
    with planes.worker.app_context():
        assert len(db.session.scalars(db.select(ProviderCredential)).all()) == 1
    assert_nowhere(OTHER_KEY, planes, alice.get("/providers/"), alice.get(path))


def test_a_key_does_not_follow_the_provider_to_another_host(planes: Planes, alice: Browser) -> None:
    alice.post("/providers/new", FILLED)
    path = f"/providers/{own(planes).id}/edit"
    moved = {**FILLED, "api_key": "", "base_url": "http://127.0.0.2:9/v1"}
    page = alice.post(path, moved, expected=422)
    assert "Enter the key again" in page.find("#api_key-error").get_text()
    assert own(planes).base_url == FILLED["base_url"]
    alice.post(path, {**moved, "api_key": OTHER_KEY})
    alice.post(path, {**moved, "base_url": "http://127.0.0.2:9/v2"})
    assert opened_key(planes) == OTHER_KEY


def test_a_short_key_has_no_hint(planes: Planes, alice: Browser) -> None:
    page = alice.follow(alice.post("/providers/new", {**FILLED, "api_key": "short-key"}))
    assert "Ends in" not in page.words
    assert "Key stored" in page.words


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "Capital"),
        ("name", "demo"),
        ("name", "x" * 61),
        ("name", "a b"),
        ("base_url", ""),
        ("base_url", "javascript:alert(1)"),
        ("base_url", "file:///etc/passwd"),
        ("base_url", "ftp://example.com/v1"),
        ("base_url", "http://"),
        ("base_url", "http://user:password@example.com/v1"),
        ("base_url", "https://example.com/" + "x" * 2048),
        ("base_url", "https://exa\x00mple.com"),
        ("default_model", "a\x00b"),
        ("default_model", "x" * 201),
        ("models", "a\x00b"),
        ("api_key", "with space"),
        ("api_key", "line\nbreak"),
        ("api_key", "nul\x00"),
        ("api_key", "x" * 1001),
    ],
)
def test_bad_input_is_told_beside_its_field(
    field: str, value: str, planes: Planes, alice: Browser
) -> None:
    page = alice.post("/providers/new", {**FILLED, field: value}, expected=422)
    assert len(page.find(f"#{field}-error").get_text()) > 15
    assert page.find(f"section[role=alert] a[href='#{field}']")
    assert own(planes) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/v1",
        "http://localhost/v1",
        "http://[::1]/v1",
        "http://10.0.0.1/v1",
        "http://192.168.1.1/v1",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:127.0.0.1]/v1",
        "http://2130706433/v1",
        "http://0x7f.1/v1",
        "http://0/v1",
    ],
)
def test_private_addresses_are_refused_outside_the_local_environment(
    url: str, planes: Planes, alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = replace(planes.settings, allow_private_addresses=False)
    monkeypatch.setitem(planes.admin.extensions, "portal_settings", public)
    page = alice.post("/providers/new", {**FILLED, "base_url": url}, expected=422)
    assert page.find("#base_url-error")
    assert own(planes) is None


def test_a_name_is_used_once_in_an_account(planes: Planes, people: People, alice: Browser) -> None:
    alice.post("/providers/new", FILLED)
    page = alice.post("/providers/new", FILLED, expected=422)
    assert "The account has a provider of this name." in page.find("#name-error").get_text()
    people.browser(people.charlie).post("/providers/new", FILLED)


def test_a_provider_keeps_its_name(planes: Planes, alice: Browser) -> None:
    alice.post("/providers/new", FILLED)
    alice.post(f"/providers/{own(planes).id}/edit", {**FILLED, "name": "renamed"})
    assert own(planes) is not None


def test_a_strangers_provider_and_the_demo_cannot_be_reached(
    planes: Planes, people: People, alice: Browser
) -> None:
    alice.post("/providers/new", FILLED)
    charlie = people.browser(people.charlie)
    with planes.worker.app_context():
        demo = db.session.scalars(
            db.select(Provider.id).filter_by(account_id=people.alice.account_id, name="demo")
        ).one()
    for browser, number in ((charlie, own(planes).id), (alice, demo)):
        for page in ("edit", "delete"):
            browser.get(f"/providers/{number}/{page}", 404)
            browser.post(f"/providers/{number}/{page}", FILLED, expected=404)
    assert opened_key(planes) == KEY


@pytest.mark.parametrize("who", ["bob", "vera"])
def test_only_admins_change_providers(who: str, planes: Planes, people: People) -> None:
    people.browser(people.alice).post("/providers/new", FILLED)
    browser = people.browser(getattr(people, who))
    browser.get("/providers/", 200)
    for path in ("/providers/new", f"/providers/{own(planes).id}/edit"):
        browser.get(path, 403)
        browser.post(path, FILLED, expected=403)


def test_known_vendors_fill_the_form(alice: Browser) -> None:
    page = alice.get("/providers/new?vendor=openai")
    assert page.find("input[name=base_url]")["value"] == "https://api.openai.com/v1"
    assert page.find("textarea[name=models]").get_text().strip()
    for strange in ("demo", "nobody", "<b>"):
        page = alice.get("/providers/new", query_string={"vendor": strange})
        assert page.find("input[name=base_url]").get("value", "") == ""


def test_models_are_offered_in_the_form_of_a_client(planes: Planes, alice: Browser) -> None:
    alice.post("/providers/new", FILLED)
    form = alice.get("/llm-clients/new").values("main form.card")
    created = alice.post(
        "/llm-clients/new", {**form, "name": "own", "provider": "mine", "default_model": ""}
    )
    page = alice.get(created.location + "edit")
    assert [o["value"] for o in page.html.select("#models option")] == ["small", "large"]
    assert page.find("input[name=default_model]")["value"] == "small"


def test_deleting_names_who_will_miss_it(
    planes: Planes, alice: Browser, make_client: MakeClient
) -> None:
    alice.post("/providers/new", FILLED)
    make_client("user", provider="mine", default_model="small")
    path = f"/providers/{own(planes).id}/delete"
    page = alice.get(path)
    assert "1 LLM client uses it" in page.words
    assert page.find("h1").get_text() == "Delete mine"
    alice.post(path)
    assert own(planes) is None
    with planes.worker.app_context():
        assert db.session.scalars(db.select(ProviderCredential)).all() == []


def test_changes_are_in_the_audit_log_without_the_key(planes: Planes, alice: Browser) -> None:
    alice.post("/providers/new", FILLED)
    path = f"/providers/{own(planes).id}/"
    alice.post(path + "edit", {**FILLED, "api_key": OTHER_KEY})
    alice.post(path + "delete")
    with planes.worker.app_context():
        found = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id)).all()
        told: list[Any] = [(event.action, (event.after or {}).get("key")) for event in found]
    assert told == [
        ("provider_created", "replaced"),
        ("provider_changed", "replaced"),
        ("provider_deleted", None),
    ]
