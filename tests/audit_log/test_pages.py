"""The page of the log: what it shows to whom, its filters, its files, its check."""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from portal.accounts.models import AuditEvent, User
from portal.audit_log.changes import changes_of
from portal.audit_log.listing import PAGE_SIZE
from portal.audit_log.words import ACTIONS
from portal.database import db, utc_now
from tests.audit_log.conftest import Seal, Write
from tests.people import PASSWORD, Browser, MakeClient, People, Person
from tests.planes import Planes
from tests.syntax import modules, nodes_of, text_of


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def test_an_empty_log_says_what_it_is_for(alice: Browser) -> None:
    assert "Every change leaves an event here" in alice.get("/audit/").words


def test_only_admins_read_it(people: People) -> None:
    for person in (people.bob, people.vera):
        people.browser(person).get("/audit/", 403)
    people.browser(people.alice).get("/audit/platform", 403)


def test_a_change_is_told_with_who_when_where_how_and_what(
    people: People, alice: Browser, make_client: MakeClient, seal: Seal
) -> None:
    path = f"/llm-clients/{make_client()}/"
    values = alice.get(f"{path}edit").values()
    alice.post(f"{path}edit", {**values, "description": "For the foyer"})
    page = alice.get("/audit/")
    [shown] = page.html.select("[data-rows] > li")
    words = " ".join(shown.get_text(" ").split())
    assert "Changed: LLM client example" in words
    assert "alice" in words
    assert "on a page , from 127.0.0.1" in words.replace("page,", "page ,")
    assert shown.select_one("time[datetime]")
    assert [one.get_text() for one in shown.select(".is-added > span:last-child")] == [
        "After: For the foyer"
    ]
    assert "Not sealed yet" in words
    seal()
    assert "Sealed as number 1" in alice.get("/audit/").words


def test_every_page_of_a_thing_leads_to_its_events(
    alice: Browser, make_client: MakeClient, planes: Planes
) -> None:
    hashed_id = make_client()
    page = alice.get(f"/llm-clients/{hashed_id}/")
    link = page.find("a[href^='/audit/?']")
    alice.post(f"/llm-clients/{hashed_id}/clone", {"name": "copy"}, expected=303)
    alice.post(f"/llm-clients/{hashed_id}/delete", {"confirm_name": "example"})
    found = alice.get(str(link["href"]))
    assert [one.get_text() for one in found.html.select("[data-rows] h2 a")] == [
        "LLM client example"
    ]
    assert "Deleted" in found.words


def test_events_of_another_account_are_not_shown(
    people: People, alice: Browser, write: Write
) -> None:
    number = write(account_id=people.charlie.account_id)
    assert "Nothing has been changed yet" in alice.get("/audit/").words
    write()
    assert len(alice.get(f"/audit/?before={number}").html.select("[data-rows] > li")) == 1


def test_pages_follow_each_other(alice: Browser, write: Write) -> None:
    numbers = [write() for _ in range(PAGE_SIZE + 3)]
    first = alice.get("/audit/")
    second = alice.get(str(first.find("a[rel=next]")["href"]))
    shown = [
        str(item["id"]) for page in (first, second) for item in page.html.select("[data-rows] > li")
    ]
    assert shown == [f"event-{number}" for number in reversed(numbers)]
    assert not second.html.select("a[rel=next]")


def test_a_page_asks_the_database_eight_times_at_most(
    people: People, alice: Browser, write: Write
) -> None:
    for _ in range(PAGE_SIZE):
        write()
    statements: list[str] = []
    with people.planes.admin.app_context():
        engine = db.engine

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        statements.append(statement)

    try:
        alice.get("/audit/?object=LLMClient&range=7d")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert 0 < len(statements) <= 8, statements


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("person={alice}", 2),
        ("person=999", 0),
        ("action=deleted", 1),
        ("by=form", 3),
        ("by=api", 0),
        ("range=24h", 2),
        ("from=2020-01-01&to=2020-01-02", 0),
        ("action=deleted&person={alice}&range=1h", 1),
    ],
)
def test_filters_are_in_the_address(
    query: str, count: int, people: People, alice: Browser, write: Write
) -> None:
    write()
    write("deleted")
    write(at=utc_now() - timedelta(days=3))
    with people.planes.worker.app_context():
        first = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id)).first()
        assert first is not None
        first.user_id = None
        db.session.commit()
    page = alice.get(f"/audit/?{query.format(alice=people.alice.user_id)}")
    assert len(page.html.select("[data-rows] > li")) == count


@pytest.mark.parametrize(
    "query",
    [
        "person=x",
        "person=-1",
        "person=99999999999999999999",
        "action=<script>",
        "object=Nothing",
        "id=5",
        "by=telepathy",
        "range=xx",
        "from=yesterday",
        "from=2026-01-02&to=2026-01-01",
        "object=Plugin&id=99999999999999999999",
    ],
)
def test_filters_that_make_no_sense_are_a_sentence(
    query: str, alice: Browser, write: Write
) -> None:
    write()
    page = alice.get(f"/audit/?{query}")
    assert page.html.select(".notice.state-attention")
    alice.get(f"/audit/?{query}&before=99999999999999999999&check_after=x")


def exported(browser: Browser, file_format: str, **filters: str) -> Any:
    values = {"csrf_token": browser.token(), "format": file_format, **filters}
    return browser.raw("POST", "/audit/export", data=values)


def test_the_file_for_spreadsheets_holds_the_filtered_events_and_no_formula(
    alice: Browser, write: Write, people: People, seal: Seal
) -> None:
    write(note="=1+1")
    write("deleted")
    seal()
    answer = exported(alice, "csv", action="changed")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [(row["action"], row["person"], row["place_in_chain"]) for row in rows] == [
        ("changed", "alice", "1")
    ]
    assert json.loads(rows[0]["after"])["note"] == "=1+1"
    assert not any(cell.startswith(tuple("=+-@")) for row in rows for cell in row.values())


def test_a_name_that_is_a_formula_is_no_formula_in_the_file(
    alice: Browser, make_client: MakeClient, people: People
) -> None:
    alice.post("/users/invite", {"email": "x@example.com", "role": "viewer"}, expected=200)
    with people.planes.worker.app_context():
        db.session.execute(db.update(AuditEvent).values(object_name="=cmd()"))
        db.session.commit()
    assert b"'=cmd()" in exported(alice, "csv").data


def test_the_file_for_programs_has_a_line_for_each_event(alice: Browser, write: Write) -> None:
    for _ in range(3):
        write()
    lines = [json.loads(line) for line in exported(alice, "jsonl").data.splitlines()]
    assert [line["action"] for line in lines] == ["audit_log_exported", *["changed"] * 3]
    assert lines[1]["before"] == {"size": 1}
    assert all(line["time"].endswith("Z") for line in lines)
    assert exported(alice, "exe").status_code == 400


def test_the_check_says_what_it_found(
    alice: Browser, write: Write, seal: Seal, by_hand: Callable[[str], None]
) -> None:
    assert "0 events are as the portal wrote them" in check(alice)
    write()
    write()
    seal()
    assert "3 events are as the portal wrote them" in check(alice)
    by_hand("UPDATE audit_events SET action = 'created' WHERE sequence = 2")
    told = check(alice)
    assert "not as the portal wrote it. Event 2" in told


def check(browser: Browser) -> str:
    return browser.follow(browser.post("/audit/check")).words


def test_who_runs_the_platform_sees_what_belongs_to_no_account(
    planes: Planes, people: People, seal: Seal
) -> None:
    with planes.worker.app_context():
        db.session.get_one(User, people.alice.user_id).is_superuser = True
        db.session.commit()
    nobody = people.browser()
    values = {**nobody.get("/login").values(), "username": "hunter2", "password": "x"}
    nobody.post("/login", values, 401)
    alice = people.browser(people.alice)
    page = alice.get("/audit/platform")
    assert "Sign-in refused" in page.words
    assert "hunter2" not in page.text, "somebody may type a password as a name"
    seal(0)
    assert "1 event is as" in alice.follow(alice.post("/audit/platform/check")).words
    assert alice.raw("GET", "/audit/platform/export").status_code == 405


@pytest.mark.parametrize("who", ["alice", "charlie"])
def test_sign_ins_are_in_the_log_of_the_account(who: str, people: People) -> None:
    person: Person = getattr(people, who)
    browser = people.browser()
    for password, expected in (("a wrong one", 401), (PASSWORD, 303)):
        values = {**browser.get("/login").values(), "username": who, "password": password}
        browser.post("/login", values, expected)
    browser.post("/logout")
    words = people.browser(person).get("/audit/").words
    for told in ("Sign-in refused", "Signed in", "Signed out"):
        assert told in words


def test_a_secret_that_was_typed_is_on_no_page(alice: Browser) -> None:
    values = {"vendor": "custom", "name": "own", "base_url": "https://models.example/v1"}
    alice.post("/providers/new", {**values, "api_key": "hunter2-hunter2"}, expected=303)
    page = alice.get("/audit/")
    assert "Provider added" in page.words
    assert "hunter2" not in page.text


def test_only_fields_that_differ_are_told() -> None:
    before = {"a": 1, "b": {"c": [1], "d": "x"}, "gone": None}
    after = {"a": 1, "b": {"c": [2], "d": "x"}, "new": True}
    told = [(one.label, one.before, one.after) for one in changes_of(before, after)]
    assert told == [("B › c", "[1]", "[2]"), ("Gone", "Empty", None), ("New", None, "Yes")]
    assert changes_of(None, None) == []


def actions_in_the_code() -> set[str]:
    """Every action that a call of `record` names as it stands."""
    found: set[str] = set()
    for path in modules():
        for node in nodes_of(path) if "record" in text_of(path) else ():
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            called, action = getattr(node.func, "attr", ""), getattr(node.args[1], "value", None)
            if called in ("record", "record_of_person") and isinstance(action, str):
                found.add(action)
    return found


def test_every_action_of_the_code_has_words_and_can_be_chosen() -> None:
    found = actions_in_the_code()
    assert len(found) > 40
    assert found <= set(ACTIONS)
