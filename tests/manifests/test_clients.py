"""The manifest of a client: what it changes, what it leaves alone, what it cannot."""

from __future__ import annotations

from portal.accounts.models import AuditEvent
from portal.database import db
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.plugins.models import Plugin
from tests.manifests.applied import HEAD, applied, client_named, planned
from tests.people import MakeClient, People


def manifest(spec: str, metadata: str = "", name: str = "example") -> str:
    return f"{HEAD}metadata:\n  name: {name}\n{metadata}spec:\n{spec}"


def test_what_is_left_out_is_left_alone(
    people: People, make_client: MakeClient, database: None
) -> None:
    make_client(app_name="Lake", default_temperature=1.5, description="Kept")
    applied(people.browser(people.alice), manifest("  defaultSystemRole: You sing.\n"))
    found = client_named("example")
    assert found.default_system_role == "You sing."
    assert (found.app_name, found.default_temperature, found.description) == ("Lake", 1.5, "Kept")
    assert found.newest_revision_number == 2
    event = db.session.scalars(db.select(AuditEvent).filter_by(action="edited")).one()
    assert event.before == {"default_system_role": "You help."}


def test_a_manifest_that_is_exported_changes_nothing(
    people: People, make_client: MakeClient
) -> None:
    alice, hashed_id = people.browser(people.alice), make_client(annotations={"a": [1, "x"]})
    text = alice.get(f"/workbench/llm-clients/{hashed_id}/manifest/").text
    page = planned(alice, text)
    assert "Stays as it is" in page.words
    assert "status is what the portal saw" in page.words
    assert page.html.select("#what-would-change form") == []


def test_unknown_fields_are_refused_with_a_suggestion_and_their_line(
    people: People, make_client: MakeClient
) -> None:
    make_client()
    text = manifest("  defaultSystemRol: x\n  default_model: y\n  tags: [a]\n  zzz: 1\n")
    words = planned(people.browser(people.alice), text, 422).words
    assert "Line 6 : Unknown field `defaultSystemRol`. Did you mean `defaultSystemRole`?" in words
    assert "Unknown field `default_model`. Did you mean `defaultModel`?" in words
    assert "Unknown field `tags`. It belongs into metadata." in words
    assert "Line 9 : Unknown field `zzz`." in words


def test_the_rules_of_the_form_are_the_rules(people: People, make_client: MakeClient) -> None:
    make_client()
    alice = people.browser(people.alice)
    for spec, sentence in (
        ("  defaultTemperature: 2.5\n", "Must be between 0 and 2"),
        ("  defaultTemperature: warm\n", "defaultTemperature must be a number."),
        ("  defaultMaxTokens: 0\n", "Must be between 1 and"),
        ("  provider: absent\n", "The account has no such provider"),
        ("  appInfoUrl: javascript:1\n", "Must be a web address"),
        ("  functions: [sing]\n", "There is no function named sing."),
        ("  plugins: [absent]\n", "The account has no plugin named absent."),
        ("  customDomain: absent.example\n", "The account has no custom domain absent.example."),
        ("  allowedOrigins: ['*']\n", "a wildcard is not possible"),
        ("  appFileAttachment: 'yes'\n", "appFileAttachment must be true or false."),
        ('  appExamplePrompts: ["a\\nb"]\n', "must not contain a line break"),
        ("  deployed: 1\n", "deployed must be true or false."),
    ):
        page = planned(alice, manifest(spec), 422)
        assert sentence in page.words, page.words
        assert "Line 6" in page.words
        assert spec.strip() in page.find("textarea").get_text()


def test_surroundings_are_set_by_their_own_verbs(
    people: People, make_client: MakeClient, database: None
) -> None:
    hashed_id = make_client()
    for name in ("Hours", "Menu"):
        kind = Plugin.Kinds.STATIC
        db.session.add(Plugin(account_id=people.alice.account_id, name=name, kind=kind))
    db.session.commit()
    spec = "  plugins: [Menu, Hours]\n  allowedOrigins: [https://a.example]\n  deployed: true\n"
    alice = people.browser(people.alice)
    assert "No API key is attached" in planned(alice, manifest(spec)).words
    applied(alice, manifest(spec))
    found = client_named("example")
    assert found.allowed_origins == ["https://a.example"]
    runs = db.session.scalars(db.select(Deployment)).all()
    assert [(run.kind, run.llm_client.hashed_id) for run in runs] == [("deploy", hashed_id)]
    assert "Stays as it is" in planned(alice, manifest(spec)).words
    applied(alice, manifest("  plugins: [Hours]\n"))
    assert "- Hours" in alice.get(f"/workbench/llm-clients/{hashed_id}/manifest/").text


def test_members_change_their_own_only_and_viewers_nothing(
    people: People, make_client: MakeClient, database: None
) -> None:
    make_client()
    bob = people.browser(people.bob)
    page = planned(bob, manifest("  appName: Mine\n"), 422)
    assert "Members change only their own clients." in page.words
    applied(bob, manifest("  appName: Mine\n", name="bobs"))
    assert client_named("bobs").user_profile_id == people.bob.profile_id
    people.browser(people.vera).get("/manifests/", 403)


def test_another_accounts_client_is_not_seen(
    people: People, make_client: MakeClient, database: None
) -> None:
    make_client()
    charlie = people.browser(people.charlie)
    assert "Is created" in planned(charlie, manifest("  appName: Other\n")).words
    applied(charlie, manifest("  appName: Other\n"))
    names = db.session.scalars(db.select(LLMClient.app_name).order_by(LLMClient.id)).all()
    assert names == ["", "Other"]


def test_of_two_of_a_name_the_owner_says_which(
    people: People, make_client: MakeClient, database: None
) -> None:
    make_client()
    make_client("example", people.bob)
    alice, text = people.browser(people.alice), "  appName: New\n"
    applied(alice, manifest(text, "  owner: bob\n"))
    names = db.session.scalars(db.select(LLMClient.app_name).order_by(LLMClient.id)).all()
    assert names == ["", "New"]
    stranger = planned(alice, manifest(text, "  owner: nobody\n")).words
    assert "nobody has no client of this name here: it is alice’s." in stranger


def test_a_stale_plan_is_shown_anew(
    people: People, make_client: MakeClient, database: None
) -> None:
    make_client()
    alice, text = people.browser(people.alice), manifest("  appName: Lake\n")
    seen = planned(alice, text).values("#what-would-change form")
    applied(alice, manifest("  appName: Meanwhile\n"))
    page = alice.post("/manifests/apply", seen, 422)
    assert "has changed since" in page.words
    assert client_named("example").app_name == "Meanwhile"
    alice.post("/manifests/apply", page.values("#what-would-change form"))
    assert client_named("example").app_name == "Lake"
