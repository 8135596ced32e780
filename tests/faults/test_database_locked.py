"""A foreign program holds SQLite's write lock: readers go on, writers are told to come back."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, make_url, select, update

from portal.accounts.models import UserSession
from portal.database import SQLITE_BUSY_SECONDS, db, utc_now
from portal.llm_clients.models import LLMClient
from portal.request_history.models import LLMClientRequests
from portal.request_history.recording import NotRecorded
from tests.people import MakeClient, People
from tests.planes import Planes

pytestmark = pytest.mark.engine_independent


@pytest.fixture
def foreign_writer(planes: Planes) -> Iterator[Callable[[], sqlite3.Connection]]:
    """Takes the write lock and keeps it until the test is over."""
    held: list[sqlite3.Connection] = []

    def take() -> sqlite3.Connection:
        path = make_url(planes.settings.database_url).database
        connection = sqlite3.connect(str(path), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        held.append(connection)
        return connection

    yield take
    for connection in held:
        connection.close()


def test_readers_go_on_and_writers_are_told_when_to_try_again(
    planes: Planes, people: People, make_client: MakeClient, foreign_writer: Any
) -> None:
    path = f"/llm-clients/{make_client()}/"
    reader, writer = people.browser(people.alice), people.browser(people.bob)
    token = writer.token()
    foreign_writer()
    answers: list[Any] = []
    form = {"csrf_token": token, "theme": "dark"}
    theme = threading.Thread(target=lambda: answers.append(writer.raw("POST", "/theme", data=form)))
    theme.start()
    started = time.monotonic()
    for page in ("/", "/llm-clients/", path, path + "status", "/requests/", "/system/"):
        reader.get(page)
    assert time.monotonic() - started < SQLITE_BUSY_SECONDS, "readers wait for a writer"
    theme.join()
    (answer,) = answers
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "Nothing was lost" in answer.text


def test_a_session_that_cannot_be_noted_as_used_still_opens_pages(
    planes: Planes, people: People, foreign_writer: Any
) -> None:
    browser = people.browser(people.alice)
    with planes.worker.app_context():
        long_ago = utc_now() - timedelta(hours=1)
        db.session.execute(update(UserSession).values(last_seen_at=long_ago))
        db.session.commit()
    foreign_writer()
    browser.get("/llm-clients/")


def test_a_prompt_that_cannot_be_recorded_is_not_answered(
    planes: Planes,
    people: People,
    make_client: MakeClient,
    run_jobs: Callable[..., int],
    foreign_writer: Any,
) -> None:
    path = f"/llm-clients/{make_client()}/"
    browser = people.browser(people.alice)
    browser.post(path + "deploy", {"confirm": "yes"})
    run_jobs()
    host = browser.get(path).find("code").get_text().strip()
    visitor, base = planes.serving.test_client(), f"http://{host}:{planes.settings.port}"
    question = {"messages": [{"role": "user", "content": "Is anybody there?"}]}
    lock = foreign_writer()
    assert visitor.get("/", base_url=base).status_code == 200
    answer = visitor.post("/prompt/", base_url=base, json=question)
    body = json.loads(answer.get_json()["data"]["body"])
    assert body["choices"] == []
    assert "could not be stored" in body["smarter"]["messages"][0]["content"]
    lock.rollback()
    again = visitor.post("/prompt/", base_url=base, json=question)
    assert json.loads(again.get_json()["data"]["body"])["choices"]
    with planes.worker.app_context():
        count = db.session.scalar(select(func.count()).select_from(LLMClientRequests))
        assert count == 1, "the refused one is in the history"


def test_of_many_prompts_that_cannot_be_recorded_none_waits_for_the_others(
    planes: Planes, people: People, make_client: MakeClient, foreign_writer: Any
) -> None:
    make_client()
    with planes.worker.app_context():
        client_id, account_id = db.session.execute(select(LLMClient.id, LLMClient.account_id)).one()
    recorder = planes.serving.extensions["portal_recorder"]
    refused: list[NotRecorded] = []

    def ask(number: int) -> None:
        row = {"llm_client_id": client_id, "account_id": account_id, "created_at": utc_now()}
        row |= {"request_id": f"locked-{number}", "request": {}, "status": 200}
        try:
            recorder.record(row, None)
        except NotRecorded as error:
            refused.append(error)

    lock, started = foreign_writer(), time.monotonic()
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 8
    assert time.monotonic() - started < 3 * SQLITE_BUSY_SECONDS
    lock.rollback()
    ask(8)
    with planes.worker.app_context():
        stored = list(db.session.scalars(select(LLMClientRequests.request_id)))
    assert stored == ["locked-8"], "what was refused came to the history later"
