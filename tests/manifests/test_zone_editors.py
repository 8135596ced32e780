"""Who publishes a domain's records, as a manifest: by the rules and events of its page."""

from __future__ import annotations

from portal.accounts.models import AuditEvent
from portal.custom_domains import zone_editing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, declare_writes
from portal.vault import named
from tests.manifests.applied import applied, planned
from tests.people import People

KEY = "c2VjcmV0LW9mLXRoZS1jdXN0b21lcg=="
DOMAIN = "apiVersion: portal/v1\nkind: CustomDomain\nmetadata: {name: lake-inn.com}\n"
EDITOR = """---
apiVersion: portal/v1
kind: ZoneEditor
metadata: {name: lake-inn.com}
spec:
  editor: rfc2136
  settings: {server: 192.0.2.53, key_name: portal}
  secrets: {secret: zone-key}
  wantsWildcard: true
"""


def make_secret(account_id: int) -> None:
    declare_writes(True)
    named.make(account_id, "zone-key", KEY)
    db.session.commit()
    declare_writes(False)


def domain_of(account_id: int) -> LLMClientCustomDomain:
    db.session.rollback()
    query = db.select(LLMClientCustomDomain).filter_by(account_id=account_id)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def test_an_editor_is_chosen_with_a_named_secret_and_comes_to_another_account(
    people: People, database: None
) -> None:
    make_secret(people.alice.account_id)
    alice = people.browser(people.alice)
    assert "Applied: 1 created, 1 changed" in applied(alice, DOMAIN + EDITOR).words
    domain = domain_of(people.alice.account_id)
    assert (domain.zone_editor, domain.wants_wildcard) == ("rfc2136", True)
    assert zone_editing.typed_values(domain)["secret"] == "secret:zone-key"
    assert zone_editing.values_of(domain)["secret"] == KEY
    query = db.select(AuditEvent.action).where(AuditEvent.by == "manifest")
    assert {"custom_domain_editor_changed", "custom_domain_options_changed"} <= set(
        db.session.scalars(query)
    )
    text = alice.get("/manifests/export").text
    assert "secret: zone-key" in text
    assert KEY not in text
    assert "as before" in planned(alice, text).words
    make_secret(people.charlie.account_id)
    charlie = people.browser(people.charlie)
    applied(charlie, text)
    domain = domain_of(people.charlie.account_id)
    assert zone_editing.values_of(domain)["secret"] == KEY
    assert "as before" in planned(charlie, text).words


def test_what_an_editor_cannot_be_is_a_sentence(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    for old, new, sentence in (
        ("zone-key", "zone-key", "no secret named zone-key"),
        ("{secret: zone-key}", "{token: zone-key}", "rfc2136 has no setting token"),
        ("key_name: portal", "key_name: portal, secret: abc", "secret belongs into secrets"),
        ("secret: zone-key", "secret: zone-key, server: zone-key", "server belongs into settings"),
        ("rfc2136", "mainframe", "editor must be one of"),
        ("server: 192.0.2.53, ", "", "Server address is needed"),
    ):
        page = planned(alice, DOMAIN + EDITOR.replace(old, new), 422)
        assert sentence in page.words, f"{new}: {page.words}"


def test_without_its_domain_or_its_secret_it_is_left_out(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    assert "no such custom domain yet" in planned(alice, EDITOR).words
    without = EDITOR.replace("  secrets: {secret: zone-key}\n", "")
    assert "It needs secret" in planned(alice, DOMAIN + without).words


def test_a_secret_that_was_typed_in_stays(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    applied(alice, DOMAIN)
    number = domain_of(people.alice.account_id).id
    typed = {"setting_server": "192.0.2.53", "setting_key_name": "portal", "setting_secret": KEY}
    alice.post(f"/custom-domains/{number}/publishing/rfc2136", typed, 303)
    text = alice.get("/manifests/export").text
    assert KEY not in text
    assert "as before" in planned(alice, text).words
    applied(alice, text.replace("192.0.2.53", "192.0.2.54"))
    values = zone_editing.values_of(domain_of(people.alice.account_id))
    assert (values["server"], values["secret"]) == ("192.0.2.54", KEY)


def test_members_change_none(people: People, database: None) -> None:
    applied(people.browser(people.alice), DOMAIN)
    assert "Only admins" in planned(people.browser(people.bob), EDITOR, 422).words
