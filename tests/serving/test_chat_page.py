"""The hosted chat page without script: what a visitor reads, asks again and rates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.database import db
from portal.request_history.models import Prompt
from portal.serving import session_keys
from tests.people import Page, People
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor, Visitor


def ask(visitor: Visitor, message: str, expected: int = 303, **data: Any) -> Page:
    """Send the form of the page as it stands."""
    key = Page(visitor.ask("GET", "/")).find("input[name=session_key]")["value"]
    answer = visitor.ask("POST", "/", data={"session_key": key, "message": message, **data})
    assert answer.status_code == expected, answer.data
    return Page(visitor.ask("GET", "/")) if expected == 303 else Page(answer)


def key_of(page: Page) -> str:
    return str(page.find("input[name=session_key]")["value"])


def said(page: Page) -> list[str]:
    return [part.get_text() for part in page.html.select("ol [data-part=question]")]


def events_of(answer: Any) -> dict[str, Any]:
    """The events of a stream by name; of several of one name the last."""
    blocks = answer.get_data(as_text=True).strip().split("\n\n")
    pairs = [block.removeprefix("event: ").split("\ndata: ", 1) for block in blocks]
    return {name: json.loads(data) for name, data in pairs}


def test_the_history_on_the_page_is_rendered(visitor: Visitor) -> None:
    page = ask(visitor, "Say **this** and <b>that</b>, [x](javascript:alert(1))")
    answer = page.find("[data-part=answer]")
    assert answer.select_one("strong").get_text() == "this"  # type: ignore[union-attr]
    assert not answer.select("b, a")
    assert said(page) == ["Say **this** and <b>that</b>, [x](javascript:alert(1))"]


def test_an_answer_is_copied_as_it_was_written(visitor: Visitor) -> None:
    page = ask(visitor, "Say **this**")
    assert "“Say **this**”" in page.find("[data-part=copy]")["data-copy"]


def test_the_end_of_a_stream_carries_the_same_html(visitor: Visitor) -> None:
    answer = visitor.ask("POST", "/stream", data={"message": "**Loud** <script>x</script>"})
    done = events_of(answer)["done"]
    assert "<strong>Loud</strong> &lt;script&gt;" in done["html"]
    assert "**Loud** <script>" in done["answer"]


def test_the_last_answer_is_asked_for_again(visitor: Visitor) -> None:
    ask(visitor, "One")
    page = ask(visitor, "Two")
    visitor.ask("POST", "/regenerate", data={"session_key": key_of(page)})
    again = Page(visitor.ask("GET", "/"))
    assert said(again) == ["One", "Two"]
    assert "turn 2 of this conversation" in again.html.select("[data-part=answer]")[1].get_text()
    rows = visitor.rows()
    assert len(rows) == 3
    assert rows[2].request["regenerates"] == rows[1].request_id


def test_later_prompts_see_the_newest_answer_only(visitor: Visitor) -> None:
    page = ask(visitor, "One")
    for _ in range(3):
        visitor.ask("POST", "/regenerate", data={"session_key": key_of(page)})
    again = ask(visitor, "Two")
    assert "turn 2 of this conversation" in again.html.select("[data-part=answer]")[1].get_text()
    history = visitor.config(key_of(page))["history"]["chat_history"]
    assert [message["content"] for message in history[::2]] == ["One", "Two"]


def test_many_tries_do_not_push_out_what_was_said_before(visitor: Visitor) -> None:
    ask(visitor, "One")
    page = ask(visitor, "Two")
    for _ in range(22):
        visitor.ask("POST", "/regenerate", data={"session_key": key_of(page)})
    assert said(Page(visitor.ask("GET", "/"))) == ["One", "Two"]


def test_an_answer_again_streams_where_a_script_asks(visitor: Visitor) -> None:
    page = ask(visitor, "One")
    answer = visitor.ask(
        "POST",
        "/regenerate",
        data={"session_key": key_of(page)},
        headers={"Accept": "text/event-stream"},
    )
    events = events_of(answer)
    assert events["done"]["session_key"] == key_of(page)
    assert "delta" in events


@pytest.mark.parametrize("given", ["", "0" * 64, "nonsense"])
def test_without_an_answer_there_is_none_to_replace(given: str, visitor: Visitor) -> None:
    answer = visitor.ask("POST", "/regenerate", data={"session_key": given})
    assert answer.status_code == 409
    assert "There is no answer in this chat yet." in Page(answer).words


def test_tools_appear_with_the_first_answer(visitor: Visitor) -> None:
    assert Page(visitor.ask("GET", "/")).find("[data-tools]").has_attr("hidden")
    page = ask(visitor, "One")
    assert not page.find("li [data-tools]").has_attr("hidden")
    assert len(ask(visitor, "Two").html.select("[data-tools]")) == 1


def pressed(page: Page) -> list[str]:
    return [str(b["value"]) for b in page.html.select("[name=rating][aria-pressed=true]")]


def test_a_chat_is_rated_and_the_same_again_takes_it_back(visitor: Visitor) -> None:
    key = key_of(ask(visitor, "One"))
    for value, stands in (("1", ["1"]), ("-1", ["-1"]), ("-1", [])):
        answer = visitor.ask("POST", "/rating", data={"session_key": key, "rating": value})
        assert answer.status_code == 303
        assert pressed(Page(visitor.ask("GET", "/"))) == stands


def test_a_script_is_told_what_stands(visitor: Visitor, planes: Planes) -> None:
    key = key_of(ask(visitor, "One"))
    sent = {"session_key": key, "rating": 1}
    assert visitor.ask("POST", "/rating", json=sent).get_json() == {"rating": 1}
    with planes.worker.app_context():
        assert db.session.scalars(db.select(Prompt.rating)).all() == [1]
    assert visitor.ask("POST", "/rating", json=sent).get_json() == {"rating": None}


def test_a_chat_that_is_not_ours_cannot_be_rated(make_visitor: MakeVisitor) -> None:
    one, other = make_visitor("one"), make_visitor("other")
    foreign = key_of(ask(one, "One"))
    secret = other.planes.settings.secret_key
    unused = session_keys.new_key(other.client_id, secret)
    for key in (foreign, unused, "", "0" * 64, "é" * 64):
        answer = other.ask("POST", "/rating", data={"session_key": key, "rating": "1"})
        assert answer.status_code == 404
        assert answer.get_json()["error"]["message"]
    with one.planes.worker.app_context():
        assert db.session.scalars(db.select(Prompt.rating)).all() == [None]


@pytest.mark.parametrize("value", ["", "2", "0", "one", "[1]"])
def test_other_ratings_are_refused(value: str, visitor: Visitor) -> None:
    key = key_of(ask(visitor, "One"))
    answer = visitor.ask("POST", "/rating", data={"session_key": key, "rating": value})
    assert answer.status_code == 400
    assert answer.get_json()["error"]["message"] == "A rating is 1 or -1."


def test_the_account_reads_the_rating_beside_the_request(visitor: Visitor, people: People) -> None:
    key = key_of(ask(visitor, "One"))
    number = visitor.rows()[0].id
    alice = people.browser(people.alice)
    assert "Rating of the session" not in alice.get(f"/requests/{number}").words
    visitor.ask("POST", "/rating", data={"session_key": key, "rating": "-1"})
    assert "Rating of the session Not helpful" in alice.get(f"/requests/{number}").words


def test_the_page_names_nobody_but_the_client(make_visitor: MakeVisitor) -> None:
    words = Page(make_visitor(app_name="The Museum").ask("GET", "/")).words.lower()
    assert "the museum" in words
    assert "portal" not in words
    assert "powered" not in words
