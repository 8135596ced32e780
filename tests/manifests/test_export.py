"""A whole account as one text, and its way into another account."""

from __future__ import annotations

from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, declare_writes
from portal.llm_clients.models import LLMClient
from tests.manifests.applied import applied, planned
from tests.manifests.test_kinds import PLUGIN, PROVIDER
from tests.people import MakeClient, People

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
    assert "6 as before" in page.words
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
