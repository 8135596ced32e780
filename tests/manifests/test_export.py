"""A whole account as one text, and its way into another account."""

from __future__ import annotations

from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, declare_writes
from portal.limits.models import Limits
from portal.llm_clients import key_attaching
from portal.llm_clients.models import LLMClient, LLMClientPlugin
from portal.plugins.models import Plugin
from portal.vault import keys
from tests.llm_clients.test_views_list import counted
from tests.manifests.applied import applied, planned
from tests.manifests.test_kinds import PLUGIN, PROVIDER
from tests.people import MakeClient, People
from tests.planes import Planes

DOMAIN = "apiVersion: portal/v1\nkind: CustomDomain\nmetadata: {name: lake.example.com}\n"
CLIENT = """apiVersion: portal/v1
kind: LLMClient
metadata: {name: lake_guide, tags: [b, a]}
spec: {provider: own, defaultModel: small, plugins: [Rooms], customDomain: lake.example.com}
"""
LIMITS = """apiVersion: portal/v1
kind: Limits
metadata: {subject: client, name: lake_guide}
spec: {dayTokens: 1000, cheaperProvider: own, cheaperModel: small}
"""
EVERYTHING = "---\n".join((LIMITS, CLIENT, DOMAIN, PLUGIN, PROVIDER))


def test_what_is_needed_is_made_first_and_an_export_changes_nothing(people: People) -> None:
    alice = people.browser(people.alice)
    assert "Applied: 4 created, 1 changed." in applied(alice, EVERYTHING).words
    text = alice.get("/manifests/export").text
    page = planned(alice, text)
    assert "7 as before" in page.words
    people.browser(people.bob).get("/manifests/export", 403)


def test_an_account_comes_to_another_one(
    people: People, make_client: MakeClient, database: None
) -> None:
    alice, charlie = people.browser(people.alice), people.browser(people.charlie)
    applied(alice, EVERYTHING)
    make_client("bobs", people.bob)
    text = alice.get("/manifests/export").text
    page = planned(charlie, text)
    assert "bob has no client of this name here: it is charlie’s." in page.words
    assert "It has no key yet" in page.words
    applied(charlie, text)
    db.session.rollback()
    declare_writes(False)
    query = db.select(LLMClient).filter_by(name="lake_guide").order_by(LLMClient.id)
    first, second = db.session.scalars(query).unique()
    assert second.account_id == people.charlie.account_id
    assert second.default_host != first.default_host
    assert (second.default_model, len(second.llmclientplugin_set)) == ("small", 1)
    domains = db.session.scalars(db.select(LLMClientCustomDomain)).all()
    assert [(one.account_id, one.is_verified) for one in domains] == [
        (people.alice.account_id, False),
        (people.charlie.account_id, False),
    ]
    assert domains[0].verification_token != domains[1].verification_token
    assert "as before" in planned(charlie, text).words


def test_fifty_of_everything_cost_as_few_queries_as_one(
    planes: Planes, people: People, make_client: MakeClient, database: None
) -> None:
    alice = people.browser(people.alice)
    _some(people, make_client, range(1))
    alice.get("/manifests/export")
    with counted(planes.admin) as one:
        alice.get("/manifests/export")
    _some(people, make_client, range(1, 20))
    with counted(planes.admin) as twenty:
        text = alice.get("/manifests/export").text
    assert text.count("kind: LLMClient") == text.count("kind: ApiKey") == 20
    assert len(twenty) <= len(one), "\n\n".join(twenty)


def _some(people: People, make_client: MakeClient, numbers: range) -> None:
    for number in numbers:
        hashed_id = make_client(f"client_{number}")
        declare_writes(True)
        client = db.session.scalars(db.select(LLMClient).filter_by(hashed_id=hashed_id)).one()
        plugin = Plugin(account_id=client.account_id, name=f"p{number}", kind=Plugin.Kinds.STATIC)
        client.llmclientplugin_set.append(LLMClientPlugin(plugin=plugin))
        author = client.user_profile.user
        key = keys.make(client.account_id, f"key {number}", author, None)
        key_attaching.attach(client.id, key.row)
        limits = Limits(account_id=client.account_id, kind="client", subject_id=client.id)
        domain = LLMClientCustomDomain(
            account_id=client.account_id, domain_name=f"d{number}.example", verification_token="x"
        )
        client.custom_domain = domain
        db.session.add_all([limits, domain])
        db.session.commit()
