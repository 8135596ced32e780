"""Exports on their pages: begun from the list, looked at, downloaded, cancelled, deleted."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from portal.accounts.models import AuditEvent
from portal.database import db, utc_now
from portal.history_exports import exporting, files
from portal.history_exports.exporting import States
from portal.history_exports.jobs import advance_export
from portal.history_exports.models import RequestExport
from tests.history_exports.conftest import Begin, fill, stored, written_file
from tests.history_search.conftest import History
from tests.people import Browser, People
from tests.planes import Planes

LIST = "/requests/exports/"


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def newest() -> RequestExport:
    db.session.rollback()
    query = db.select(RequestExport).order_by(RequestExport.id.desc()).limit(1)
    found = db.session.scalars(query).one()
    db.session.commit()
    return found


def actions() -> list[str]:
    query = db.select(AuditEvent.action).order_by(AuditEvent.id)
    found = list(db.session.scalars(query))
    db.session.commit()
    return [name for name in found if name.startswith("history_export")]


def test_the_empty_page_teaches(alice: Browser) -> None:
    page = alice.get(LIST)
    assert "Nothing is exported yet" in page.words
    assert page.find(".empty-state a")["href"] == "/requests/"


def test_from_the_filter_to_the_file(alice: Browser, history: History) -> None:
    now = utc_now()
    history.write("=cmd()", status=502, at=now - timedelta(hours=1))
    history.write("fine", at=now - timedelta(hours=2))
    page = alice.follow(alice.post(LIST, {"format": "csv", "range": "7d", "status": "failed"}))
    assert "Being written" in page.words
    assert "0 of about 1 requests" in page.words
    assert page.find("#status")["data-poll-url"] == f"{LIST}status"
    export = newest()
    advance_export(export.id)
    page = alice.get(LIST)
    assert "1 request, " in page.words
    assert "data-poll-url" not in page.find("#status").attrs
    answer = alice.raw("GET", str(page.find("main .actions a")["href"]))
    assert answer.headers["Content-Disposition"] == f"attachment; filename=requests-{export.id}.csv"
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    assert [row["question"] for row in rows] == ["'=cmd()"]
    answer.close()
    assert actions() == ["history_export_begun", "history_export_downloaded"]


def test_a_broken_download_goes_on(alice: Browser, history: History, begin: Begin) -> None:
    history.write("some words", at=utc_now() - timedelta(minutes=1))
    number = begin()
    content = written_file(number)
    answer = alice.raw("GET", f"{LIST}{number}/file", headers={"Range": "bytes=10-"})
    assert (answer.status_code, answer.data) == (206, content[10:])
    answer.close()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"format": "xls"}, "A file is either CSV or JSON Lines."),
        ({}, "A file is either CSV or JSON Lines."),
        ({"format": "csv", "status": "hungry"}, "Nothing is exported. The status cannot be"),
        ({"format": "csv", "range": "1000y"}, "There is no time range called"),
        ({"format": "csv", "q": "x" * 600_000}, "A search takes 8 words"),
    ],
)
def test_what_makes_no_sense_is_told(
    alice: Browser, history: History, values: dict[str, str], sentence: str
) -> None:
    assert sentence in alice.follow(alice.post(LIST, values)).words
    assert db.session.scalar(db.select(db.func.count(RequestExport.id))) == 0


def test_five_are_written_at_once(alice: Browser, history: History, begin: Begin) -> None:
    numbers = [begin() for _ in range(exporting.MOST_RUNNING)]
    page = alice.follow(alice.post(LIST, {"format": "csv"}))
    assert "5 exports are being written already. Wait for one, or cancel one." in page.words
    alice.post(f"{LIST}{numbers[0]}/cancel")
    assert stored(numbers[0]).state == States.CANCELLED
    assert "The export has begun." in alice.follow(alice.post(LIST, {"format": "csv"})).words
    begin(person=history.people.charlie)  # others have their own five


def test_progress_is_that_of_the_rows_or_of_the_time(
    alice: Browser, history: History, begin: Begin
) -> None:
    export = stored(begin())
    export.expected_rows, export.rows_written = 1_000, 420
    other = stored(begin(q="words"))
    assert other.expected_rows is None
    length = other.ends_at - other.starts_at
    other.cursor = exporting.numbering.first_of(other.ends_at - length / 4 - timedelta(seconds=9))
    db.session.commit()
    bars = alice.get(LIST).html.select("progress")
    assert [bar["value"] for bar in bars] == ["25", "42"]


def test_looking_and_downloading_is_for_viewers_too(
    people: People, history: History, begin: Begin
) -> None:
    number = begin()
    written_file(number)
    vera = people.browser(people.vera)
    page = vera.get(LIST)
    assert page.find("main .actions a")["href"] == f"{LIST}{number}/file"
    assert not page.html.select("main form")
    answer = vera.raw("GET", f"{LIST}{number}/file")
    assert answer.status_code == 200
    answer.close()
    for path in ("", f"{number}/cancel", f"{number}/delete"):
        vera.post(f"{LIST}{path}", {"format": "csv"}, 403)


def test_strangers_find_nothing(people: People, history: History, begin: Begin) -> None:
    number = begin()
    written_file(number)
    charlie = people.browser(people.charlie)
    assert "Nothing is exported yet" in charlie.get(LIST).words
    charlie.get(f"{LIST}{number}/file", 404)
    charlie.post(f"{LIST}{number}/delete", expected=404)
    client = people.browser(people.alice).get("/llm-clients/").find("main tbody a")["href"]
    values = {"format": "csv", "client": str(client).strip("/").split("/")[-1]}
    charlie.post(LIST, values, expected=404)
    assert stored(number).state == States.READY


GONE: list[tuple[Any, str]] = [
    (lambda export: exporting.retire(export, utc_now()), "deleted a day after"),
    (lambda export: exporting.withdraw(export.account_id, "E.", utc_now()), "was withdrawn"),
    (lambda export: exporting.end(export, States.FAILED, "", utc_now()), "failed"),
]


@pytest.mark.parametrize(("ends", "sentence"), GONE, ids=["expired", "withdrawn", "failed"])
def test_a_file_that_is_gone_says_why(
    alice: Browser, history: History, begin: Begin, ends: Any, sentence: str
) -> None:
    number = begin()
    written_file(number)
    ends(stored(number))
    db.session.commit()
    assert sentence in alice.get(f"{LIST}{number}/file", 410).words
    assert not alice.get(LIST).html.select("main .actions a")


def test_a_file_whose_time_is_over_is_not_given_before_the_clock_came(
    alice: Browser, history: History, begin: Begin
) -> None:
    number = begin()
    written_file(number)
    export = stored(number)
    export.expires_at = utc_now() - timedelta(seconds=1)
    db.session.commit()
    alice.get(f"{LIST}{number}/file", 410)


def test_a_file_on_another_machine_is_missed_in_words(
    alice: Browser, history: History, begin: Begin
) -> None:
    number = begin()
    written_file(number)
    files.path_of(stored(number).file_name).unlink()
    page = alice.get(LIST)
    assert "File not found" in page.words
    assert "PORTAL_DATA_DIR" in page.words
    assert "PORTAL_DATA_DIR" in alice.get(f"{LIST}{number}/file", 404).words


def test_what_is_being_written_is_not_downloaded(
    alice: Browser, history: History, begin: Begin
) -> None:
    assert alice.get(f"{LIST}{begin()}/file", 303).location == LIST


def test_what_is_in_the_way_is_on_the_page(alice: Browser, history: History, begin: Begin) -> None:
    export = stored(begin())
    exporting.put_off(export, "There is no room for the file on the portal’s disk.", utc_now())
    db.session.commit()
    words = alice.get(LIST).words
    assert "Waiting" in words
    assert "There is no room for the file on the portal’s disk. It is tried again." in words


def test_deleting_takes_the_file_and_the_line(
    alice: Browser, history: History, begin: Begin
) -> None:
    number = begin()
    written_file(number)
    path = files.path_of(stored(number).file_name)
    alice.post(f"{LIST}{number}/delete")
    assert not path.exists()
    assert "Nothing is exported yet" in alice.get(LIST).words
    assert actions() == ["history_export_deleted"]


def test_searched_words_are_not_in_the_audit_log(alice: Browser, history: History) -> None:
    alice.post(LIST, {"format": "jsonl", "q": "a confidential name"})
    event = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert event.after is not None
    assert event.after["filters"] == ["q"]
    assert "confidential" not in f"{event.after}{event.object_name}"


def test_the_page_asks_the_database_a_few_times_only(
    alice: Browser, history: History, begin: Begin, planes: Planes
) -> None:
    fill(history.people.alice.account_id, 10, before=utc_now())
    for _ in range(exporting.MOST_RUNNING):
        number = begin()
        written_file(number)
    with planes.admin.app_context():
        engine = db.engine
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    db.event.listen(engine, "before_cursor_execute", note)
    try:
        alice.get(LIST)
    finally:
        db.event.remove(engine, "before_cursor_execute", note)
    assert len([one for one in statements if one.startswith("SELECT")]) <= 8
