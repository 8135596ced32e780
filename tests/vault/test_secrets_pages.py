"""Named secrets on pages: stored once, used by name, replaced everywhere, never shown."""

from __future__ import annotations

from typing import Any

import pytest

from portal.accounts.models import AuditEvent
from portal.custom_domains import zone_editing
from portal.database import db, utc_now
from portal.dns import SettingField
from portal.plugins import finding as plugins
from portal.plugins.models import Plugin
from portal.providers import finding
from portal.providers.models import Provider
from portal.vault import named
from portal.vault.models import Secret
from portal.vault.sealing import SealError
from tests.domain_setup.some_domains import a_domain
from tests.people import Browser, People
from tests.planes import Planes

VALUE = "sk-very-secret-0123456789-wxyz"
PROVIDER = {"name": "mine", "base_url": "http://127.0.0.1:9/v1", "models": "small"}


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def store(alice: Browser, name: str = "openai", value: str = VALUE) -> int:
    alice.post("/secrets/new", {"name": name, "value": value})
    link = alice.get("/secrets/").find(f"tbody th a:-soup-contains('{name}')")
    return int(str(link["href"]).strip("/").split("/")[1])


def key_in_use(planes: Planes) -> str:
    with planes.worker.app_context():
        return finding.key_of(db.session.scalars(db.select(Provider).filter_by(name="mine")).one())


def test_the_first_secret(planes: Planes, alice: Browser) -> None:
    assert "Store a value once" in alice.get("/secrets/").words
    page = alice.follow(alice.post("/secrets/new", {"name": "openai", "value": VALUE}))
    assert "Enter secret:openai where it is wanted." in page.words
    assert "Ends with wxyz" in page.words
    assert "Nothing yet" in page.words
    assert VALUE not in page.text
    with planes.worker.app_context():
        assert VALUE not in db.session.scalars(db.select(Secret)).one().sealed
        [event] = db.session.scalars(db.select(AuditEvent).filter_by(action="secret_created"))
        assert (event.before, event.after) == (None, None)


def test_a_provider_uses_it_and_a_new_value_counts_at_once(planes: Planes, alice: Browser) -> None:
    number = store(alice)
    alice.post("/providers/new", {**PROVIDER, "api_key": "secret:openai"})
    assert key_in_use(planes) == VALUE
    assert "Provider mine" in alice.get("/secrets/").words
    page = alice.follow(alice.post(f"/secrets/{number}/", {"value": "another-value-123456"}))
    assert "openai has its new value, everywhere it is used." in page.words
    assert key_in_use(planes) == "another-value-123456"


def test_a_secret_in_use_is_not_deleted(planes: Planes, alice: Browser) -> None:
    number = store(alice)
    alice.post("/providers/new", {**PROVIDER, "api_key": "secret:openai"})
    path = f"/secrets/{number}/delete"
    page = alice.get(path)
    assert "cannot be deleted: Provider mine" in page.words
    assert not page.html.select("main form")
    assert "cannot be deleted" in alice.post(path, expected=422).words
    with planes.worker.app_context():
        provider = db.session.scalars(db.select(Provider).filter_by(name="mine")).one()
        leaves = f"/providers/{provider.id}/delete"
    alice.post(leaves)
    assert "openai is deleted." in alice.follow(alice.post(path)).words


@pytest.mark.parametrize("typed", ["secret:none", "secret:", "secret:Not A Name", "secret:../x"])
def test_a_reference_that_leads_nowhere_is_refused_where_it_is_typed(
    typed: str, alice: Browser
) -> None:
    page = alice.post("/providers/new", {**PROVIDER, "api_key": typed}, expected=422)
    words = page.find("#api_key-error").get_text()
    assert "There is no secret named" in words or "no spaces" in words


def test_a_secret_that_is_gone_is_told_where_it_was_used(
    planes: Planes, people: People, alice: Browser
) -> None:
    store(alice)
    alice.post("/providers/new", {**PROVIDER, "api_key": "secret:openai"})
    with planes.worker.app_context():
        db.session.execute(db.delete(Secret))
        db.session.commit()
    with pytest.raises(SealError, match="There is no secret named openai"):
        key_in_use(planes)
    page = alice.get("/secrets/")
    assert "There is no secret named openai , but it is used: Provider mine" in page.words


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "", "value": VALUE}, "Give the secret a name."),
        ({"name": "Open AI", "value": VALUE}, "Must be lower-case letters"),
        ({"name": "a" * 101, "value": VALUE}, "at most 100"),
        ({"name": "ok", "value": ""}, "Enter the value."),
        ({"name": "ok", "value": " x "}, "Leave out the spaces"),
        ({"name": "ok", "value": "a\0b"}, ""),
        ({"name": "ok", "value": "x" * 10_001}, "at most 10,000"),
        ({"name": "ok", "value": "secret:other"}, "cannot refer to another one"),
    ],
)
def test_bad_input_is_told_and_the_value_is_not_sent_back(
    typed: dict[str, Any], sentence: str, alice: Browser
) -> None:
    page = alice.post("/secrets/new", typed, expected=422)
    assert sentence in page.words
    assert page.find("input[name=name]")["value"] == typed["name"]
    assert page.find("input[name=value]").get("value", "") == ""


def test_a_name_is_used_once_in_an_account_and_again_in_another(
    people: People, alice: Browser
) -> None:
    store(alice)
    page = alice.post("/secrets/new", {"name": "openai", "value": VALUE}, expected=422)
    assert "The account has a secret of this name." in page.words
    people.browser(people.charlie).post("/secrets/new", {"name": "openai", "value": "other"})


def test_a_reference_means_the_secret_of_the_own_account(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        named.make(people.charlie.account_id, "openai", "charlie's")
        assert named.problem_with(people.alice.account_id, "secret:openai")
        with pytest.raises(SealError):
            named.followed(people.alice.account_id, "secret:openai")


def test_plugins_and_zones_use_secrets_too(planes: Planes, people: People, alice: Browser) -> None:
    store(alice)
    fields = (SettingField("server", "Server"), SettingField("key", "Key", secret=True))
    with planes.worker.app_context():
        plugin = Plugin(account_id=people.alice.account_id, name="weather", kind=Plugin.Kinds.API)
        domain = a_domain(people.alice.account_id, "shop.example", utc_now())
        db.session.add(plugin)
        db.session.flush()
        plugins.set_secret(plugin, "secret:openai")
        zone_editing.keep_values(
            domain, "rfc2136", fields, {"server": "::1", "key": "secret:openai"}
        )
        db.session.commit()
        assert plugins.secret_of(plugin) == VALUE
        assert zone_editing.values_of(domain) == {"server": "::1", "key": VALUE}
        zone_editing.keep_values(domain, "rfc2136", fields, {"server": "::2", "key": ""})
        assert zone_editing.typed_values(domain)["key"] == "secret:openai"
        db.session.commit()
    words = alice.get("/secrets/").words
    assert "Plugin weather" in words
    assert "Zone of shop.example" in words


def test_who_looks_on_sees_names_and_changes_nothing(people: People, alice: Browser) -> None:
    number = store(alice)
    vera = people.browser(people.vera)
    assert "openai" in vera.get("/secrets/").words
    for path in ("/secrets/new", f"/secrets/{number}/", f"/secrets/{number}/delete"):
        vera.get(path, 403)
