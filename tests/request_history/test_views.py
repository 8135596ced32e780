"""The list of requests and one request whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal.database import db, utc_now
from portal.llm_clients.models import LLMClient
from portal.request_history.models import LLMClientRequests
from tests.people import Browser, MakeClient, Page, People, Person
from tests.planes import Planes

Asked = Callable[..., list[int]]


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


@pytest.fixture
def asked(planes: Planes, people: People) -> Asked:
    """Rows of the history, oldest first; their numbers."""

    def write(count: int = 1, person: Person | None = None, **columns: Any) -> list[int]:
        with planes.worker.app_context():
            account_id = (person or people.alice).account_id
            client_id = db.session.scalar(
                db.select(LLMClient.id).where(LLMClient.account_id == account_id).limit(1)
            )
            rows = [
                LLMClientRequests(
                    **{
                        "account_id": account_id,
                        "llm_client_id": client_id,
                        "llm_client_name": "example",
                        "request": {"message": f"question {number}"},
                        "response": {"text": f"answer {number}"},
                        "request_id": f"r-{utc_now().timestamp()}-{number}",
                        "question_preview": f"question {number}",
                        "answer_preview": f"answer {number}",
                        "status": 200,
                        "mode": "default",
                        "created_at": utc_now() - timedelta(seconds=count - number),
                        **columns,
                    }
                )
                for number in range(count)
            ]
            db.session.add_all(rows)
            db.session.commit()
            return [row.id for row in rows]

    return write


def links(page: Page) -> list[int]:
    found = page.html.select("table.requests tbody a[href^='/requests/']")
    return [int(str(link["href"]).rsplit("/", 1)[1]) for link in found]


def test_an_empty_history_says_what_will_be_here(alice: Browser) -> None:
    page = alice.get("/requests/")
    assert page.find(".empty-state h2").get_text() == "No requests yet"
    assert not page.html.select("table")


def test_pages_of_130_requests_have_no_gaps_and_no_repeats(
    alice: Browser, make_client: MakeClient, asked: Asked
) -> None:
    make_client()
    numbers = asked(130)
    page = alice.get("/requests/")
    down = [links(page)]
    while page.html.select_one("a[rel=next]"):
        page = alice.get(str(page.find("a[rel=next]")["href"]))
        down.append(links(page))
    assert [len(found) for found in down] == [50, 50, 30]
    assert [number for found in down for number in found] == numbers[::-1]
    up = [links(page)]
    while page.html.select_one("a[rel=prev]"):
        page = alice.get(str(page.find("a[rel=prev]")["href"]))
        up.append(links(page))
    assert up[::-1] == down


def test_what_comes_in_meanwhile_moves_no_page(
    alice: Browser, make_client: MakeClient, asked: Asked
) -> None:
    make_client()
    asked(60)
    page = alice.get("/requests/")
    older = str(page.find("a[rel=next]")["href"])
    before = links(alice.get(older))
    asked(5)
    assert links(alice.get(older)) == before


def test_filters_narrow_by_client_outcome_and_session(
    planes: Planes, alice: Browser, make_client: MakeClient, asked: Asked
) -> None:
    make_client("first")
    [fine], [refused], [gone], [broken] = (
        asked(status=status, session_key=f"{status:064}") for status in (200, 429, 499, 502)
    )
    make_client("second")
    assert links(alice.get("/requests/")) == [broken, gone, refused, fine]
    for status, expected in (
        ("answered", [fine]),
        ("refused", [refused]),
        ("cancelled", [gone]),
        ("failed", [broken]),
        ("nonsense", [broken, gone, refused, fine]),
    ):
        assert links(alice.get(f"/requests/?status={status}")) == expected, status
    assert links(alice.get(f"/requests/?session_key={499:064}")) == [gone]
    with planes.worker.app_context():
        ids = dict(db.session.execute(db.select(LLMClient.name, LLMClient.hashed_id)).all())
    assert len(links(alice.get(f"/requests/?client={ids['first']}"))) == 4
    page = alice.get(f"/requests/?client={ids['second']}")
    assert page.find(".empty-state h2").get_text() == "No request matches"


def test_paging_keeps_the_filters(alice: Browser, make_client: MakeClient, asked: Asked) -> None:
    make_client()
    asked(60, status=502)
    asked(3)
    page = alice.get("/requests/?status=failed")
    page = alice.get(str(page.find("a[rel=next]")["href"]))
    assert len(links(page)) == 10


def test_one_request_is_shown_whole(alice: Browser, make_client: MakeClient, asked: Asked) -> None:
    make_client()
    [number] = asked(
        request={"message": "Wo ist <b>das</b> Café?"},
        response={"text": "Im Foyer."},
        latency_ms=1234,
        first_token_ms=80,
        tokens_in=1_500,
        hostname="example.api.local.localhost",
        revision_number=3,
    )
    page = alice.get(f"/requests/{number}")
    assert "Wo ist <b>das</b> Café?" in page.find(".talk").get_text()
    for words in ("Im Foyer.", "1.2 s", "80 ms", "1,500", "example.api.local.localhost"):
        assert words in page.words
    assert '"message": "Wo ist <b>das</b> Café?"' in page.find("pre").get_text()


def test_a_failure_tells_the_truth(alice: Browser, make_client: MakeClient, asked: Asked) -> None:
    make_client()
    [number] = asked(status=502, error_code="cut", error_text="The stream ended.", response=None)
    page = alice.get(f"/requests/{number}")
    assert "Broke off" in page.words
    assert "The stream ended." in page.words


def test_the_history_of_a_deleted_client_stays_readable(alice: Browser, asked: Asked) -> None:
    [number] = asked()
    page = alice.get(f"/requests/{number}")
    assert "example" in page.find(".head-sub").get_text()
    assert not page.html.select("a[href=None]")


def test_nothing_of_another_account_is_there(
    people: People, alice: Browser, make_client: MakeClient, asked: Asked
) -> None:
    hashed_id = make_client("theirs", people.charlie)
    [number] = asked(person=people.charlie, session_key="a" * 64)
    alice.get(f"/requests/{number}", 404)
    alice.get(f"/requests/?client={hashed_id}", 404)
    assert links(alice.get(f"/requests/?session_key={'a' * 64}")) == []
    assert links(people.browser(people.charlie).get("/requests/")) == [number]


@pytest.mark.parametrize(
    "query",
    ["before=x", "after=%C2%B2", "before=" + "9" * 30, "after=-1", "session_key=%27", "after=0"],
)
def test_strange_filters_are_no_fault_of_ours(
    query: str, alice: Browser, make_client: MakeClient, asked: Asked
) -> None:
    make_client()
    asked()
    alice.get(f"/requests/?{query}", 200)


@pytest.mark.parametrize("client", ["%C2%B2", "9" * 30, "nobody", "%27"])
def test_a_strange_client_is_not_there(client: str, alice: Browser) -> None:
    alice.get(f"/requests/?client={client}", 404)


def test_fifty_rows_cost_as_few_queries_as_one(
    planes: Planes, alice: Browser, make_client: MakeClient, asked: Asked
) -> None:
    make_client()
    asked(1)
    alice.get("/requests/")
    counts = []
    with planes.admin.app_context():
        engine = db.engine
    for more in (0, 49):
        asked(more)
        statements: list[str] = []
        listener = lambda *arguments: statements.append(arguments[2])  # noqa: B023, E731
        db.event.listen(engine, "before_cursor_execute", listener)
        alice.get("/requests/")
        db.event.remove(engine, "before_cursor_execute", listener)
        counts.append(len(statements))
    assert counts[0] == counts[1]


CALL = {"name": "calculator", "source": "function", "is_error": False, "milliseconds": 12}
FAILED = {"provider": "vendor", "model": "large", "reason": "timeout", "milliseconds": 30_000}


def test_a_request_shows_its_tools_its_attempts_and_its_cost(
    alice: Browser, make_client: MakeClient, asked: Asked
) -> None:
    make_client()
    calls = [
        {**CALL, "arguments": '{"expression": "2 + 2"}', "result": "2 + 2 = 4"},
        {**CALL, "name": "<b>weather</b>", "is_error": True, "result": "No such place."},
    ]
    response = {"text": "4", "tools_called": calls, "attempts": [{**FAILED, "detail": "silent"}]}
    [number] = asked(1, response=response, cost_micros=4_200, price_version="2026-11-01")
    page = alice.get(f"/requests/{number}")
    tools = " ".join(page.find("section[aria-labelledby=tools]").get_text(" ").split())
    assert "calculator function 12 ms" in tools
    assert '"expression": "2 + 2"' in tools
    assert "2 + 2 = 4" in tools
    assert "<b>weather</b> function Failed 12 ms" in tools
    attempts = page.find("section[aria-labelledby=attempts]").get_text(" ")
    assert "large of vendor" in attempts
    assert "30.0 s" in attempts
    assert "silent" in attempts
    assert "US$ 0.0042 (price of 2026-11-01)" in page.words
    assert "US$ 0.0042" in alice.get("/requests/").words


@pytest.mark.parametrize("response", [None, {"text": "4", "tools_called": "x", "attempts": [1]}])
def test_a_request_without_tools_has_no_such_sections(
    alice: Browser, make_client: MakeClient, asked: Asked, response: Any
) -> None:
    make_client()
    [number] = asked(1, response=response, cost_micros=0, price_version="own")
    page = alice.get(f"/requests/{number}")
    assert not page.html.select("section[aria-labelledby=tools]")
    assert not page.html.select("section[aria-labelledby=attempts]")
    assert "US$ 0.00 (your own price)" in page.words
    assert "US$" not in alice.get("/requests/").words
