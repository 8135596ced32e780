"""Many documents: what one costs does not grow with them, and a part is whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select

from portal.accounts.models import Account, User, UserProfile
from portal.database import db, utc_now
from portal.llm_clients.models import LLMClient
from portal.manifests import carrying_out, command, planning, reading
from portal.manifests.applying import Actions
from portal.manifests.kind import Person
from portal.manifests.reading import Document
from portal.plugins.models import Plugin
from tests.manifests.applied import HEAD
from tests.people import People

PLUGIN = """apiVersion: portal/v1
kind: Plugin
metadata: {name: facts}
spec: {kind: static, data: {a: 1}}
"""
# With the sums of its tags, plugin, function, host, revision and event: none of them twice.
MOST_STATEMENTS = {"plan": 20, "apply": 16, "again": 10}


def clients(numbers: range, plugin: str = "facts") -> list[Document]:
    """A plugin, and clients that use it."""
    texts = [
        f"{HEAD}metadata: {{name: c{number}, tags: [guests]}}\n"
        f"spec: {{plugins: [{plugin}], functions: [calculator], defaultSystemRole: You help.}}\n"
        for number in numbers
    ]
    return reading.documents_of("---\n".join([PLUGIN, *texts]))


def alice_of(people: People) -> Person:
    profile = db.session.get_one(UserProfile, people.alice.profile_id)
    account = db.session.get_one(Account, people.alice.account_id)
    user = db.session.get_one(User, people.alice.user_id)
    return Person(account, profile, user, command.CommandActor(account.id, user.id), utc_now())


@contextmanager
def statements() -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    found: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_document_costs_as_much_among_many_as_among_few(people: People, database: None) -> None:
    person, costs = alice_of(people), []
    for documents in (clients(range(15)), clients(range(15, 60))):
        made = len(documents) - (1 if costs else 0)
        with statements() as planned_with:
            planned = planning.plan(documents, person)
        with statements() as applied_with:
            carrying_out.carry_out(documents, person, planned)
        with statements() as again_with:
            assert not planning.plan(documents, person).changes_something
        told = {"plan": planned_with, "apply": applied_with, "again": again_with}
        costs.append({name: len(found) / made for name, found in told.items()})
    few, many = costs
    for name, most in MOST_STATEMENTS.items():
        assert many[name] <= min(most, few[name] + 2), f"{name}: {few[name]}, {many[name]}"


def test_what_a_later_transaction_of_the_plan_needs_is_there(
    people: People, database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MOST_TOGETHER", 2)
    planned = planning.plan(clients(range(5)), alice_of(people))
    assert planned.count(Actions.CREATE) == 6
    assert db.session.scalars(select(LLMClient)).all() == []


def test_a_twin_is_found_in_the_same_transaction_and_in_another(
    people: People, database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [*clients(range(4)), *clients(range(1, 2))[1:]]
    for most in (50, 1):
        monkeypatch.setattr(planning, "MOST_TOGETHER", most)
        changes = planning.plan(documents, alice_of(people)).changes
        [refused] = [change for change in changes if change.is_refused]
        assert "c1 is described twice" in refused.problems[0].sentence


def test_the_documents_after_one_that_cannot_be_are_planned_all_the_same(
    people: People, database: None
) -> None:
    wrong = reading.documents_of(f"{HEAD}metadata: {{name: bad}}\nspec: {{plugins: [none]}}\n")
    planned = planning.plan(
        [*clients(range(2)), *wrong, *clients(range(2, 4))[1:]], alice_of(people)
    )
    assert [planned.count(one) for one in (Actions.CREATE, Actions.REFUSED)] == [5, 1]


def _spoiled(people: People) -> tuple[list[Document], Person, planning.Plan]:
    """A plan of five clients, and somebody who takes the name of the last one meanwhile."""
    documents, person = clients(range(5)), alice_of(people)
    planned = planning.plan(documents, person)
    last = [documents[0], documents[5]]
    carrying_out.carry_out(last, person, planning.plan(last, person))
    documents = documents[1:]
    return documents, person, planning.Plan(planned.changes[1:])


def test_all_or_nothing_is_done(people: People, database: None) -> None:
    documents, person, planned = _spoiled(people)
    with pytest.raises(carrying_out.Stale) as refused:
        carrying_out.carry_out(documents, person, planned)
    assert refused.value.public_message == f"{carrying_out.STALE} {carrying_out.NOTHING}"
    assert db.session.scalars(select(LLMClient.name)).all() == ["c4"]


def test_a_long_one_is_done_in_parts_and_says_where_it_stopped(
    people: People, database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying_out, "most_at_once", lambda: 2)
    documents, person, planned = _spoiled(people)
    assert carrying_out.parts_of(planned) == 3
    with pytest.raises(carrying_out.Stale) as refused:
        carrying_out.carry_out(documents, person, planned)
    told = "4 of 5 changes were applied, none from LLMClient c4 on."
    assert told in refused.value.public_message
    assert len(db.session.scalars(select(LLMClient)).all()) == 5
    again = planning.plan(documents, person)
    assert not again.changes_something
    assert db.session.scalars(select(Plugin.name)).all() == ["facts"]
