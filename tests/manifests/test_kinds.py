"""The other kinds: each by the form and the verbs of its pages, secrets by name only."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Account, AuditEvent
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, declare_writes
from portal.limits.models import Limits
from portal.llm_clients import key_attaching
from portal.plugins import finding as plugin_finding
from portal.plugins.models import Plugin
from portal.providers import finding
from portal.providers.models import Provider
from portal.vault import keys, named
from tests.manifests.applied import applied, planned
from tests.people import MakeClient, People

PROVIDER = """apiVersion: portal/v1
kind: Provider
metadata: {name: own}
spec:
  baseUrl: https://models.example.com/v1
  models:
    - name: small
      contextTokens: 8000
      inputPrice: 0.15
      outputPrice: 0.6
"""
PLUGIN = """apiVersion: portal/v1
kind: Plugin
metadata: {name: Rooms, description: What is free.}
spec:
  kind: api
  url: https://rooms.example.com/free/{day}
  headers: {Accept: application/json}
  secretHeader: Authorization
  parameters: [{name: day, where: path, required: true, description: Which day.}]
"""


def one(model: type[Any], **columns: Any) -> Any:
    """The only row like this, as it is stored now."""
    db.session.rollback()
    declare_writes(False)
    return db.session.scalars(db.select(model).filter_by(**columns)).one()


def a_secret(account_id: int, name: str, value: str) -> None:
    declare_writes(True)
    named.make(account_id, name, value)
    db.session.commit()


def test_a_provider_comes_with_its_models_and_a_key_by_name(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    applied(alice, PROVIDER)
    own = one(Provider, name="own")
    prices = {"input_price": 150_000, "output_price": 600_000}
    assert own.models == [{"name": "small", "context_tokens": 8000, **prices}]
    assert "Stays as it is" in planned(alice, PROVIDER).words
    keyed = PROVIDER.replace("  models", "  apiKeySecret: own-key\n  models")
    assert "no secret named own-key" in planned(alice, keyed, 422).words
    a_secret(people.alice.account_id, "own-key", "sk-never-shown")
    page = planned(alice, keyed)
    assert "Empty → own-key" in page.words
    assert "never-shown" not in page.text
    applied(alice, keyed)
    assert finding.key_of(one(Provider, name="own")) == "sk-never-shown"
    assert "Stays as it is" in planned(alice, keyed).words
    text = alice.get("/manifests/export").text
    assert "apiKeySecret: own-key" in text
    assert "never-shown" not in text
    told = db.session.scalars(db.select(AuditEvent)).all()
    assert "never-shown" not in repr([(event.before, event.after) for event in told])


def test_a_stored_key_follows_no_provider_to_another_host(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    a_secret(people.alice.account_id, "own-key", "sk-never-shown")
    applied(alice, PROVIDER.replace("  models", "  apiKeySecret: own-key\n  models"))
    moved = PROVIDER.replace("models.example.com", "elsewhere.example.com")
    assert "the stored one is for another host" in planned(alice, moved, 422).words
    named_again = moved.replace("  models", "  apiKeySecret: own-key\n  models")
    assert "Is changed" in planned(alice, named_again).words


def test_a_plugin_of_each_kind(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    head = "apiVersion: portal/v1\nkind: Plugin\n"
    static = f"{head}metadata: {{name: Hours}}\nspec: {{kind: static, data: {{open: 9 to 17}}}}\n"
    sql = head + (  # noqa: S608 - a manifest
        "metadata: {name: Stock}\nspec:\n  kind: sql\n"
        "  url: postgresql://reader@db.example.com/shop\n"
        "  statement: SELECT name FROM stock WHERE name = :name\n"
        "  parameters: [{name: name}]\n"
    )
    text = f"{static}---\n{PLUGIN}---\n{sql}"
    applied(alice, text)
    assert one(Plugin, name="Hours").content == {"data": {"open": "9 to 17"}}
    content = one(Plugin, name="Rooms").content
    assert content["headers"] == {"Accept": "application/json"}
    assert content["parameters"][0]["where"] == "path"
    assert one(Plugin, name="Stock").content["statement"].startswith("SELECT name")
    assert planned(alice, text).words.count("Stays as it is") == 3
    assert planned(alice, alice.get("/manifests/export").text).words.count("Stays as it is") == 5


def test_what_only_another_kind_of_plugin_has_is_refused(people: People) -> None:
    alice = people.browser(people.alice)
    wrong = PLUGIN.replace("  kind: api", "  kind: api\n  statement: SELECT 1")
    assert "A plugin of the kind api has no statement." in planned(alice, wrong, 422).words
    wrong = PLUGIN.replace("where: path", "place: path")
    assert "Line 9 : Unknown field `place`." in planned(alice, wrong, 422).words
    wrong = PLUGIN.replace("where: path", "where: query")
    assert "is not listed as going into it" in planned(alice, wrong, 422).words
    wrong = PLUGIN.replace("  kind: api\n", "")
    assert "Say which kind of plugin it is" in planned(alice, wrong, 422).words


def test_a_plugins_secret_is_named(people: People, database: None) -> None:
    a_secret(people.alice.account_id, "rooms", "Bearer never-shown")
    applied(people.browser(people.alice), f"{PLUGIN}  secret: rooms\n")
    assert plugin_finding.secret_of(one(Plugin, name="Rooms")) == "Bearer never-shown"


def test_a_domain_is_a_claim(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    text = "apiVersion: portal/v1\nkind: CustomDomain\nmetadata: {name: Lake.example.com}\n"
    assert "It is a claim until" in planned(alice, text).words
    applied(alice, text)
    assert not one(LLMClientCustomDomain, domain_name="lake.example.com").is_verified
    assert "Stays as it is" in planned(alice, text).words
    wrong = text.replace("Lake.example.com", "com")
    page = planned(alice, wrong, 422)
    assert "Cannot be" in page.words


def test_what_a_key_opens_can_be_set_but_none_is_made(
    people: People, make_client: MakeClient, database: None
) -> None:
    make_client()
    alice = people.browser(people.alice)
    text = "apiVersion: portal/v1\nkind: ApiKey\nmetadata: {name: shop}\n"
    text += "spec: {llmClients: [example]}\n"
    assert "A key’s text is shown once" in planned(alice, text).words
    alice.post("/api-keys/new", {"name": "shop", "expiry": "never"}, 200)
    applied(alice, text)
    [key], _ = keys.page(people.alice.account_id)
    assert [one.name for one in key_attaching.clients_by_key([key])[key.id]] == ["example"]
    db.session.rollback()
    assert "Stays as it is" in planned(alice, text).words


def test_limits_of_each_subject(people: People, make_client: MakeClient, database: None) -> None:
    make_client()
    alice = people.browser(people.alice)
    head = "apiVersion: portal/v1\nkind: Limits\n"
    client = f"{head}metadata: {{subject: client, name: example}}\nspec:\n  dayMoney: 2.5\n"
    whole = f"{head}metadata: {{subject: account}}\nspec: {{concurrent: 7}}\n"
    applied(alice, f"{client}---\n{whole}")
    assert one(Limits, kind="client").day_micros == 2_500_000
    assert one(Limits, kind="account").concurrent == 7
    assert planned(alice, f"{client}---\n{whole}").words.count("Stays as it is") == 2
    applied(alice, client.replace("2.5", "null"))
    assert one(Limits, kind="client").day_micros is None
    for wrong, sentence in (
        (client.replace("dayMoney: 2.5", "keyRate: 2"), "keyRate is no limit of a client."),
        (client.replace("2.5", "-1"), "Must be from 0 to"),
        (client.replace("dayMoney: 2.5", "addressRate: 0"), "Must be a whole number from 1"),
        (whole.replace("7", "many"), "concurrent must be a whole number."),
    ):
        assert sentence in planned(alice, wrong, 422).words
    absent = client.replace("example", "absent")
    assert "What they are for is not here yet" in planned(alice, absent).words


def test_the_accounts_settings(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    text = "apiVersion: portal/v1\nkind: Account\nspec: {timezone: Europe/Rome}\n"
    applied(alice, text)
    found = one(Account, id=people.alice.account_id)
    assert (found.timezone, found.company_name) == ("Europe/Rome", "Birkenhof Media")
    assert "Not a time zone" in planned(alice, text.replace("Rome", "Rom"), 422).words


def test_members_change_none_of_these(people: People) -> None:
    bob = people.browser(people.bob)
    for text in (PROVIDER, PLUGIN, "apiVersion: portal/v1\nkind: Account\n"):
        assert "Only admins of the account may change this." in planned(bob, text, 422).words
