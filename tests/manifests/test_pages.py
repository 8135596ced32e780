"""Manifests on pages: a look first, then done as it was shown, by the verbs of the form."""

from __future__ import annotations

import io

from portal.accounts.models import AuditEvent
from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.manifests import reading
from tests.manifests.applied import HEAD, applied, client_named, planned
from tests.people import MakeClient, People

NEW = f"""{HEAD}metadata:
  name: lake_guide
  description: Answers guests.
  tags: [guests, lake]
  annotations: {{team: support}}
spec:
  defaultSystemRole: |-
    You help guests.
    You are brief.
  defaultTemperature: 0.2
  functions: [calculator]
  appExamplePrompts: [When is breakfast?]
"""


def test_a_plan_shows_the_difference_and_leaves_nothing_behind(
    people: People, database: None
) -> None:
    page = planned(people.browser(people.alice), NEW)
    assert "LLMClient lake_guide" in page.words
    assert "You are brief." in page.words
    assert db.session.scalars(db.select(LLMClient)).all() == []
    assert db.session.scalars(db.select(AuditEvent)).all() == []


def test_what_was_shown_is_done_as_the_form_does_it(people: People, database: None) -> None:
    assert "Applied: 1 created." in applied(people.browser(people.alice), NEW).words
    found = client_named("lake_guide")
    assert found.default_system_role == "You help guests.\nYou are brief."
    assert found.default_temperature == 0.2
    assert found.default_model == "demo"
    assert (found.function_names, [tag.name for tag in found.tags]) == (
        ["calculator"],
        ["guests", "lake"],
    )
    assert found.newest_revision_number == 1
    [event] = db.session.scalars(db.select(AuditEvent).where(AuditEvent.object_type == "LLMClient"))
    assert (event.action, event.by, event.user_id) == ("created", "manifest", people.alice.user_id)


def test_a_file_takes_the_place_of_the_text(people: People) -> None:
    alice = people.browser(people.alice)
    file = (io.BytesIO(NEW.encode()), "lake.yaml")
    sent = {"csrf_token": alice.token(), "text": "", "file": file}
    answer = alice.raw("POST", "/manifests/plan", data=sent)
    assert b"LLMClient lake_guide" in answer.data


def test_what_is_no_manifest_is_told_and_stays_in_the_form(people: People) -> None:
    alice = people.browser(people.alice)
    for text, sentence in (
        ("", "Paste a manifest, or choose a file."),
        ("a: [1", "This is not YAML"),
        ("a: &b 1\nc: *b", "Line 2: Aliases"),
        ("---\n", "There is no manifest in this text."),
        ("just words", "A manifest has apiVersion, kind, metadata and spec."),
        ("apiVersion: v9\nkind: LLMClient", "apiVersion must be portal/v1."),
        (HEAD.replace("Client", "Klient"), "Did you mean `LLMClient`?"),
        (f"{HEAD}spec: 3", "spec must be an object."),
        (HEAD, "Give the client a name."),
        (f"{HEAD}metadata: {{name: 9lives}}", "Must start with a letter"),
        (f"{HEAD}metadata: {{name: [a]}}", "name must be a text"),
    ):
        page = planned(alice, text, 422)
        assert sentence in page.words, f"{text}: {page.words}"
        assert page.find("textarea").get_text().strip() == text.strip()


def test_a_thing_that_two_documents_describe_is_refused(people: People) -> None:
    page = planned(people.browser(people.alice), f"{NEW}---\n{NEW}", 422)
    assert "LLMClient lake_guide is described twice, first on line 1." in page.words


def test_one_that_cannot_be_keeps_all_from_being_applied(people: People) -> None:
    page = planned(people.browser(people.alice), f"{NEW}---\n{HEAD}metadata: {{name: 9}}\n", 422)
    assert "This cannot be applied" in page.words
    assert "Is created" in page.words
    assert page.html.select("#what-would-change form") == []


def test_the_clients_page_shows_its_manifest(people: People, make_client: MakeClient) -> None:
    hashed_id = make_client()
    vera = people.browser(people.vera)
    assert "kind: LLMClient" in vera.get(f"/llm-clients/{hashed_id}/manifest/").words
    answer = vera.get(f"/workbench/llm-clients/{hashed_id}/manifest/?download=1").response
    assert answer.headers["Content-Type"] == "application/yaml; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="example.yaml"'


def test_two_names_of_one_address_are_told_when_they_meet(people: People) -> None:
    other = NEW.replace("lake_guide", "lake-guide")
    page = planned(people.browser(people.alice), f"{NEW}---\n{other}", 422)
    assert "The client lake_guide already has the address" in page.words


def test_an_export_of_any_size_is_downloaded_whole(people: People) -> None:
    alice, words = people.browser(people.alice), "v" * 60_000
    for number in range(5):
        plugin = f"kind: Plugin\nmetadata: {{name: p{number}}}\n"
        spec = f"spec: {{kind: static, data: {{a: {words}}}}}\n"
        applied(alice, f"apiVersion: portal/v1\n{plugin}{spec}")
    text = alice.get("/manifests/export").text
    assert len(text) > reading.LARGEST
    assert text.count(words) == text.count("kind: Plugin") == 5
