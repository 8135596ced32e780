"""What the worker writes: everything that was selected, once, whatever happens meanwhile."""

from __future__ import annotations

import fcntl
import signal
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from portal.database import db, utc_now
from portal.history_exports import exporting, files
from portal.history_exports.exporting import States
from portal.history_exports.jobs import advance_export, remove_strays
from portal.history_exports.models import RequestExport
from portal.history_keeping import erasing
from portal.history_search.jobs import index_requests
from portal.llm_clients.models import LLMClient
from portal.request_history.models import LLMClientRequests, RequestBody
from portal.tied_process import tied
from tests.history_exports.conftest import (
    Begin,
    environ_of,
    fill,
    lines_of,
    make_due,
    stored,
    written_file,
)
from tests.history_search.conftest import History
from tests.people import MakeClient
from tests.planes import Planes

ROOT = Path(__file__).parent.parent.parent


def test_all_of_the_account_and_nothing_else_newest_first(history: History, begin: Begin) -> None:
    now = utc_now()
    mine = [history.write(f"Q{n}", f"A{n}", at=now - timedelta(hours=n)) for n in range(5)]
    history.write("foreign words", person=history.people.charlie, at=now - timedelta(hours=1))
    history.write("too old", at=now - timedelta(days=40))
    content = written_file(begin())
    found = lines_of(content)
    assert [line["id"] for line in found] == [str(number) for number in mine]
    assert found[0]["request"]["message"] == "Q0"
    assert found[0]["response"]["text"] == "A0"
    assert b"foreign" not in content


def test_what_is_asked_after_the_beginning_is_not_in_it(history: History, begin: Begin) -> None:
    history.write("before", at=utc_now() - timedelta(minutes=1))
    number = begin()
    history.write("after", at=utc_now() + timedelta(seconds=1))
    assert [line["request"]["message"] for line in lines_of(written_file(number))] == ["before"]


FILTERS = [
    ({"status": 502}, {"status": "failed"}),
    ({"status": 429}, {"status": "unanswered"}),
    ({"session_key": "s1"}, {"session_key": "s1"}),
    ({"mode": "custom"}, {"mode": "custom"}),
    ({"latency_ms": 2500}, {"slower": "2.5"}),
    ({"question": "Where is the 100% café?"}, {"q": '"100% café"'}),
    ({"answer": "不客气"}, {"q": "客"}),
    ({"answer": "both of them", "status": 502}, {"q": "of", "status": "failed"}),
]


@pytest.mark.parametrize(("columns", "values"), FILTERS, ids=lambda found: "-".join(found))
def test_filters_hold_as_in_the_list(
    history: History, begin: Begin, columns: dict[str, str], values: dict[str, str]
) -> None:
    now = utc_now()
    plain = {"latency_ms": 100, "session_key": "s0"}
    for number in range(3):
        history.write(at=now - timedelta(hours=number), **plain)  # type: ignore[arg-type]
    wanted = history.write(at=now - timedelta(hours=3), **{**plain, **columns})  # type: ignore[arg-type]
    assert [line["id"] for line in lines_of(written_file(begin(**values)))] == [str(wanted)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, 4),
        ({"status": "failed"}, 1),
        ({"status": "unanswered"}, 2),
        ({"mode": "custom"}, 1),
        ({"model": "nobody's"}, 0),
        ({"status": "502"}, None),
        ({"q": "words"}, None),
        ({"session_key": "s1"}, None),
        ({"range": "1h"}, None),
    ],
)
def test_how_many_are_expected_is_known_where_hourly_sums_tell(
    history: History, begin: Begin, values: dict[str, str], expected: int | None
) -> None:
    now = utc_now()
    for columns in ({"status": 200}, {"status": 502}, {"status": 429}, {"mode": "custom"}):
        history.write(at=now - timedelta(hours=3), **columns)  # type: ignore[arg-type]
    history.write(person=history.people.charlie, at=now - timedelta(hours=3))
    assert stored(begin(**values)).expected_rows == expected


def test_those_of_one_client_are_counted_and_written_alone(
    history: History, begin: Begin, make_client: MakeClient
) -> None:
    history.write("the other's", at=utc_now() - timedelta(hours=1))
    hashed_id = make_client("second")
    client = db.session.scalars(db.select(LLMClient).filter_by(hashed_id=hashed_id)).one()
    wanted = history.write("mine", client=client, at=utc_now() - timedelta(hours=1))
    number = begin(client=hashed_id)
    assert stored(number).expected_rows == 1
    assert stored(number).label == "LLM client second"
    assert [line["id"] for line in lines_of(written_file(number))] == [str(wanted)]


def test_words_that_the_index_does_not_know_yet_are_found(history: History, begin: Begin) -> None:
    now = utc_now()
    old = history.write("the lighthouse", at=now - timedelta(hours=2))
    new = history.write("a lighthouse", at=now - timedelta(hours=1), indexed=False)
    found = lines_of(written_file(begin(q="lighthouse")))
    index_requests()
    assert [line["id"] for line in found] == [str(new), str(old)]


def test_a_row_without_a_body_is_in_a_file_of_everything(history: History, begin: Begin) -> None:
    number = history.write(at=utc_now() - timedelta(hours=1))
    db.session.execute(db.delete(RequestBody).where(RequestBody.id == number))
    db.session.commit()
    found = lines_of(written_file(begin()))
    assert [(line["id"], line["request"]) for line in found] == [(str(number), None)]


def test_broken_and_huge_bodies_stop_nothing(
    history: History, begin: Begin, request: pytest.FixtureRequest
) -> None:
    now = utc_now()
    numbers = [history.write(f"Q{n}", at=now - timedelta(minutes=n)) for n in range(3)]
    history.write("huge", "x" * 5_000_000, at=now - timedelta(minutes=3))
    if request.config.getoption("--database") == "sqlite":
        query = db.text("UPDATE llm_client_request_bodies SET request = '{broken' WHERE id = :id")
        db.session.execute(query, {"id": numbers[1]})
        db.session.commit()
    found = lines_of(written_file(begin()))
    assert len(found) == 4
    assert len(found[-1]["response"]["text"]) == 5_000_000


def test_only_the_owner_of_the_process_may_read_the_file(history: History, begin: Begin) -> None:
    number = begin()
    written_file(number)
    path = files.path_of(stored(number).file_name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_octets_beyond_the_stored_ones_are_cut_off(history: History, begin: Begin) -> None:
    """A killed process wrote more than it told."""
    wanted = [history.write(at=utc_now() - timedelta(minutes=n)) for n in range(3)]
    number = begin()
    files.folder().mkdir(mode=0o700, exist_ok=True)
    files.path_of(stored(number).file_name).write_bytes(b'{"id": "stale"}\n' * 999)
    assert [line["id"] for line in lines_of(written_file(number))] == [str(one) for one in wanted]


A_WORKER = """
import os, sys
from portal.app import create_worker_app
from portal.job_queue import perform
from portal.settings import Settings
with create_worker_app(Settings.from_environ(os.environ)).app_context():
    perform("history_exports.advance_export", int(sys.argv[1]))
"""


@pytest.mark.long
def test_a_killed_worker_costs_no_request_and_doubles_none(
    history: History, begin: Begin, planes: Planes
) -> None:
    fill(history.people.alice.account_id, 12_000, before=utc_now(), answer="word " * 1_000)
    number = begin()
    path = files.path_of(stored(number).file_name)
    for _ in range(2):
        known = stored(number).bytes_written
        worker = subprocess.Popen(
            tied([sys.executable, "-c", A_WORKER, str(number)]),
            cwd=ROOT,
            env=environ_of(planes.settings),
        )
        while worker.poll() is None and not (
            path.exists() and path.stat().st_size > known + 1_000_000
        ):
            time.sleep(0.005)
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
        if stored(number).state == States.WRITING:  # else the file was done before the kill
            make_due(number)
            advance_export(number)  # goes on in the middle
    found = [line["id"] for line in lines_of(written_file(number))]
    every = db.select(LLMClientRequests.id).order_by(LLMClientRequests.id.desc())
    assert found == [str(one) for one in db.session.scalars(every)]
    assert stored(number).rows_written == 12_000


def test_who_still_writes_is_waited_for(history: History, begin: Begin) -> None:
    """A process that lost its claim without noticing; two never write at once."""
    history.write(at=utc_now() - timedelta(minutes=1))
    number = begin()
    with files.locked(stored(number).file_name) as orphan:
        advance_export(number)
        export = stored(number)
        assert (export.rows_written, export.state) == (0, States.WRITING)
        assert export.next_attempt_at is not None
        assert export.next_attempt_at > utc_now()
        fcntl.flock(orphan, fcntl.LOCK_UN)
    make_due(number)
    assert len(lines_of(written_file(number))) == 1


def test_a_disk_that_refuses_is_told_and_tried_again(history: History, begin: Begin) -> None:
    history.write(at=utc_now() - timedelta(minutes=1))
    number = begin()
    path = files.path_of(stored(number).file_name)
    path.mkdir(parents=True)
    pauses = []
    for _ in range(3):
        advance_export(number)
        export = stored(number)
        assert export.message.startswith("The portal’s disk does not take the file")
        assert str(path) not in export.message
        assert export.next_attempt_at is not None
        pauses.append(export.next_attempt_at - utc_now())
        make_due(number)
    assert pauses[0] < pauses[1] < pauses[2]
    path.rmdir()
    assert len(lines_of(written_file(number))) == 1
    assert stored(number).message == ""


def test_a_full_disk_has_its_own_sentence() -> None:
    with (
        open("/dev/full", "wb", buffering=0) as full,
        pytest.raises(OSError, match="No space") as refused,
    ):
        full.write(b"x")
    assert files.sentence_of(refused.value).startswith("There is no room")


def test_room_is_left_to_others(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        files.leave_room(file, least=1)
        with pytest.raises(OSError, match="No space"):
            files.leave_room(file, least=2**62)


def test_a_file_that_is_gone_is_written_anew_but_not_for_ever(
    history: History, begin: Begin
) -> None:
    history.write(at=utc_now() - timedelta(minutes=1))
    number = begin()
    for _ in range(exporting.MOST_RESTARTS + 1):
        export = make_due(number)
        export.bytes_written = 10_000
        db.session.commit()
        advance_export(number)
    export = stored(number)
    assert export.state == States.FAILED
    assert "PORTAL_DATA_DIR" in export.message


def test_an_export_ends_with_its_client(history: History, begin: Begin) -> None:
    history.write("only this client", at=utc_now() - timedelta(minutes=1))
    number = begin()
    export = stored(number)
    export.filters = {"client": "gone5gone5gone5gone5"}
    db.session.commit()
    advance_export(number)
    assert (stored(number).state, stored(number).message) == (
        States.FAILED,
        "The LLM client was deleted meanwhile.",
    )


def test_what_breaks_off_each_time_is_given_up(history: History, begin: Begin) -> None:
    number = begin()
    export = stored(number)
    export.broken_off = exporting.MOST_BROKEN_OFF
    db.session.commit()
    advance_export(number)
    assert stored(number).state == States.FAILED


def test_a_day_later_the_file_goes_and_a_week_later_the_row(history: History, begin: Begin) -> None:
    history.write("secret words", at=utc_now() - timedelta(minutes=1))
    number = begin(q="secret")
    written_file(number)
    export = stored(number)
    path = files.path_of(export.file_name)
    assert export.expires_at == export.next_attempt_at
    assert abs(export.expires_at - utc_now() - exporting.KEPT) < timedelta(minutes=1)  # type: ignore[operator]
    make_due(number)
    advance_export(number)
    export = stored(number)
    assert (export.state, export.filters, export.label) == (States.EXPIRED, {}, "")
    assert not path.exists()
    make_due(number)
    advance_export(number)
    assert db.session.get(RequestExport, number) is None


def test_files_of_nobody_are_removed(history: History, begin: Begin) -> None:
    number = begin()
    written_file(number)
    mine = files.path_of(stored(number).file_name)
    stray, foreign = files.folder() / f"{'a' * 32}.csv", files.folder() / "notes.txt"
    stray.write_text("words")
    foreign.write_text("not ours")
    remove_strays()
    assert (mine.exists(), stray.exists(), foreign.exists()) == (True, False, True)
    foreign.unlink()


def test_erased_words_are_in_no_export(history: History, begin: Begin) -> None:
    history.write("erased words", session_key="s1", at=utc_now() - timedelta(minutes=1))
    ready, running, foreign = begin(q="erased"), begin(), begin(person=history.people.charlie)
    written_file(ready)
    written_file(foreign)
    with files.locked(stored(running).file_name) as file:
        file.write(b"erased words")
    account_id = history.people.alice.account_id
    paths = [files.path_of(stored(number).file_name) for number in (ready, running)]
    connection = db.session.connection()
    erasing.erase_some(connection, account_id, "session", "s1")
    assert exporting.withdraw(account_id, "Something was erased.", utc_now()) == 2
    assert all(path.exists() for path in paths)
    db.session.commit()
    assert not any(path.exists() for path in paths)
    for number in (ready, running):
        export = stored(number)
        assert (export.state, export.message) == (States.WITHDRAWN, "Something was erased.")
        assert (export.filters, export.label) == ({}, "")
    assert stored(foreign).state == States.READY
