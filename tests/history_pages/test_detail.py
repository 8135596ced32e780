"""One request whole: conversation, JSON of any kind, timing, curl, asking again, comparison."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta

import pytest

from portal.database import db
from portal.history_search.jobs import forget, index_requests
from tests.history_pages.conftest import Telling, listed
from tests.people import Browser, Page, People
from tests.planes import Planes

SESSION = "s" * 40


def said(page: Page) -> list[str]:
    return [" ".join(found.get_text(" ").split()) for found in page.html.select(".talk .said")]


def test_the_session_up_to_the_request_is_told(alice: Browser, museum: str, tell: Telling) -> None:
    calls = [{"name": "prices", "source": "static", "milliseconds": 12, "result": "22"}]
    tell("A family?", "22 euros.", session=SESSION, response={"text": "22.", "tools_called": calls})
    middle = tell("And back in?", "", session=SESSION, status=504, error_text="No answer in 30 s.")
    tell("Later?", "Yes.", session=SESSION)
    tell("Foreign?", "No.", session="t" * 40)
    page = alice.get(f"/requests/{middle}")
    assert said(page) == ["A family?", "22.", "And back in?", "No answer in 30 s."]
    assert "Called prices (static, 12 ms)" in page.words
    assert said(alice.get(f"/requests/{middle}/drawer")) == said(page)


def test_messages_that_were_sent_are_told_where_they_are_kept(
    alice: Browser, museum: str, tell: Telling
) -> None:
    sent = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        "nonsense",
    ]
    number = tell("Hi", "Hello.", request={"message": "Hi", "sent": {"messages": sent}})
    page = alice.get(f"/requests/{number}")
    assert said(page) == ["Be kind.", '[{"type": "text", "text": "Hi"}]', "Hello."]


def test_timing_is_told_apart(alice: Browser, museum: str, tell: Telling) -> None:
    number = tell(latency_ms=1_300, first_token_ms=400)
    page = alice.get(f"/requests/{number}")
    timing = " ".join(page.find("section[aria-labelledby=timing]").get_text(" ").split())
    assert timing == "Timing Took 1.3 s Waited for the first token 400 ms Streamed for 900 ms"


def test_curl_asks_the_same_and_holds_no_key(alice: Browser, museum: str, tell: Telling) -> None:
    question = "It's $HOME & `id`, \"isn't it\"?\n\\"
    number = tell(question, hostname="museum.example", api_key_id=7)
    page = alice.get(f"/requests/{number}")
    words = shlex.split(page.find("pre[aria-label=curl]").get_text().replace("\\\n", " "))
    assert words[1].endswith("/v1/chat/completions")
    assert "museum.example" in words[1]
    assert "Authorization: Bearer $API_KEY" in words
    body = json.loads(words[words.index("-d") + 1])
    assert body["messages"] == [{"role": "user", "content": question}]


def test_asking_again_fills_in_the_question_and_records_nothing(
    planes: Planes, people: People, alice: Browser, museum: str, tell: Telling
) -> None:
    number = tell("Wo ist <b>das</b> Café?")
    page = alice.get(f"/requests/{number}")
    link = next(a for a in page.html.select(".actions a") if "Ask again" in a.get_text())
    sandbox = alice.get(str(link["href"]))
    assert sandbox.find("textarea").get_text().strip() == "Wo ist <b>das</b> Café?"
    with planes.worker.app_context():
        count = db.session.scalar(db.text("SELECT count(*) FROM llm_client_requests"))
    assert count == 1
    viewer = people.browser(people.vera).get(f"/requests/{number}")
    assert "Ask again" not in viewer.words
    for other in ("1", "x", "9" * 30):
        sandbox = alice.get(f"/workbench/llm-clients/{museum}/?question_of={other}")
        assert sandbox.find("textarea").get_text().strip() == ""


def test_nobody_asks_again_what_a_stranger_asked(
    people: People, make_client: object, museum: str, tell: Telling
) -> None:
    number = tell("hidden words")
    theirs = make_client("theirs", people.charlie)  # type: ignore[operator]
    stranger = people.browser(people.charlie)
    page = stranger.get(f"/workbench/llm-clients/{theirs}/?question_of={number}")
    assert "hidden words" not in page.text


def test_bodies_past_their_time_are_said_to_be_gone(
    planes: Planes, alice: Browser, museum: str, tell: Telling
) -> None:
    number = tell("What is left?", "This.")
    with planes.worker.app_context():
        db.session.execute(db.text("DELETE FROM llm_client_request_bodies"))
        db.session.commit()
    for path in (f"/requests/{number}", f"/requests/{number}/drawer"):
        page = alice.get(path)
        assert "are gone: this account keeps them for 30 days" in page.words
        assert "What is left?" in page.words
        assert "API_KEY" not in page.text
    alice.get(f"/requests/{number}/request.json", 404)


STRANGE = {
    "deep": "[" * 1_000 + "]" * 1_000,
    "deep objects": '{"a":' * 1_000 + "1" + "}" * 1_000,
    "huge": json.dumps({"message": "x" * 3_000_000}),
    "large and flat": json.dumps({"message": "hi", "sent": {"messages": [1] * 90_000}}),
    "a list": "[1, null, true]",
    "a text": '"only words"',
    "half a character": '{"message": "\\ud83d", "tools_called": [{"name": "\\ud800"}]}',
    "half an answer": '{"message": "\\ud83d\\ude00", "text": "\\udc00"}',
    "no text": '{"message": {"a": 1}, "text": ["b"], "regenerates": {"x": 1}}',
    "strange tools": '{"text": "x", "tools_called": [{"name": 5, "milliseconds": "soon"}, 7]}',
    "strange messages": '{"sent": {"messages": [{"role": {"a": 1}, "content": null}, []]}}',
    "zero": '{"message": "a\\u0000b", "text": "a\\u0000b"}',
    "number": '{"message": 1e999, "text": NaN}',
}
BROKEN = {"cut": '{"message": "a', "no JSON": "hello", "empty": ""}


@pytest.mark.parametrize("name", [*STRANGE, *BROKEN])
def test_whatever_is_stored_is_shown(
    name: str, planes: Planes, alice: Browser, museum: str, tell: Telling
) -> None:
    number, other = tell(session=SESSION), tell(session=SESSION)
    with planes.worker.app_context():
        engine = db.engine.dialect.name
        if engine == "postgresql" and name in (*BROKEN, "number"):
            pytest.skip("PostgreSQL stores no such JSON")
        values = {"text": {**STRANGE, **BROKEN}[name], "id": number}
        cast = "CAST(:text AS JSON)" if engine == "postgresql" else ":text"
        db.session.execute(
            db.text(
                f"UPDATE llm_client_request_bodies SET request = {cast}, response = {cast}"  # noqa: S608
                " WHERE id = :id"
            ),
            values,
        )
        db.session.commit()
    page = alice.get(f"/requests/{number}")
    assert len(page.text) < 800_000
    assert "Request JSON" in page.words
    for path in (f"{number}/drawer", f"{number}/diff", str(other), f"{other}/diff"):
        alice.get(f"/requests/{path}")
    raw = alice.raw("GET", f"/requests/{number}/request.json")
    assert raw.get_data(as_text=True) == values["text"]
    assert raw.headers["Content-Type"] == "application/json"
    assert raw.headers["Content-Disposition"].startswith("attachment")
    if name == "huge":
        assert "all of it has 3,000,015 characters" in page.words
    if name in BROKEN:
        assert "no JSON that can be read" in page.words


def test_a_request_is_compared_with_the_one_before(
    alice: Browser, museum: str, tell: Telling
) -> None:
    old = tell("What is it?", "It is this.\nAnd more.", session=SESSION, model="gpt-8")
    new = tell("What is it?", "It is that.\nAnd more.", session=SESSION, model="gpt-9")
    page = alice.get(f"/requests/{new}/diff")
    lines = [" ".join(line.get_text(" ").split()) for line in page.html.select(".diff li")]
    assert "Old model: gpt-8" in lines
    assert "New model: gpt-9" in lines
    assert "Old It is this." in lines
    assert "New It is that." in lines
    assert "And more." in lines
    assert "The same in both" in page.find("section[aria-labelledby=part-2]").get_text()
    same = alice.get(f"/requests/{old}/diff?with={new}")
    assert [" ".join(line.get_text(" ").split()) for line in same.html.select(".diff li")] == lines
    assert "first request of its session" in alice.get(f"/requests/{old}/diff").words
    assert "no request with the number “77”" in alice.get(f"/requests/{new}/diff?with=77").words


def test_a_stranger_sees_no_part_of_a_request(
    people: People, alice: Browser, museum: str, make_client: object, tell: Telling
) -> None:
    number = tell("hidden words", session=SESSION)
    make_client("theirs", people.charlie)  # type: ignore[operator]
    own = tell("own", person=people.charlie)
    stranger = people.browser(people.charlie)
    for part in ("", "/drawer", "/diff", "/request.json", "/response.json"):
        stranger.get(f"/requests/{number}{part}", 404)
    page = stranger.get(f"/requests/{own}/diff?with={number}")
    assert "hidden words" not in page.text
    assert "There is no request with the number" in page.words


def test_a_days_sums_are_no_request(alice: Browser, museum: str, tell: Telling) -> None:
    number = tell(is_aggregation=True, ago=timedelta(days=1))
    alice.get(f"/requests/{number}", 404)


@pytest.mark.parametrize("name", ["deep", "cut", "half a character", "a list", "zero"])
def test_what_cannot_be_read_stops_no_search(
    name: str, planes: Planes, alice: Browser, museum: str, tell: Telling
) -> None:
    number, other = tell("findable words"), tell("findable words")
    with planes.worker.app_context():
        engine = db.engine.dialect.name
        if engine == "postgresql" and name in BROKEN:
            pytest.skip("PostgreSQL stores no such JSON")
        cast = "CAST(:text AS JSON)" if engine == "postgresql" else ":text"
        db.session.execute(
            db.text(f"UPDATE llm_client_request_bodies SET request = {cast} WHERE id = :id"),  # noqa: S608
            {"text": {**STRANGE, **BROKEN}[name], "id": number},
        )
        db.session.commit()
        assert listed(alice.get("/requests/?q=findable")) == [other]
        index_requests()
        assert listed(alice.get("/requests/?q=findable")) == [other]
        forget(db.session.connection(), [number, other])
        db.session.commit()
    assert len(listed(alice.get("/requests/"))) == 2


def test_one_goes_to_the_requests_beside_it(
    planes: Planes, people: People, alice: Browser, museum: str, tell: Telling
) -> None:
    first, second, third = (tell(f"question {number}") for number in range(3))
    page = alice.get(f"/requests/{second}")
    assert page.find("a[rel=next]")["href"] == f"/requests/{third}"
    assert page.find("a[rel=prev]")["href"] == f"/requests/{first}"
    assert not alice.get(f"/requests/{first}").html.select("a[rel=prev]")
    assert not alice.get(f"/requests/{third}").html.select("a[rel=next]")
