"""Sessions: the list by time of the last request, and one with everything that was said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from portal.accounts.models import AuditEvent
from portal.database import db, utc_now
from portal.history_pages import sessions
from portal.llm_clients.models import LLMClient
from portal.request_history.models import Prompt
from tests.history_pages.conftest import Telling, statements_of
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes

HOUR = timedelta(hours=1)


def key(number: int) -> str:
    return f"{number:064x}"


def questions(page: Page) -> list[str]:
    return [link.get_text() for link in page.html.select("table.sessions tbody td > a")]


def test_sessions_stand_by_their_last_request(alice: Browser, museum: str, tell: Telling) -> None:
    tell("first of one", session=key(1), ago=3 * HOUR)
    tell("first of two", session=key(2), ago=2 * HOUR)
    tell("later", session=key(1), ago=HOUR, tokens_in=40, cost_micros=2_000)
    page = alice.get("/sessions/")
    assert questions(page) == ["first of one", "first of two"]
    assert "US$ 0.002" in page.words


def test_pages_of_120_sessions_have_no_gaps_and_no_repeats(
    planes: Planes, alice: Browser, museum: str, tell: Telling
) -> None:
    tell("one", session=key(0))
    with planes.worker.app_context():
        one = db.session.scalars(db.select(Prompt)).one()
        for number in range(1, 120):
            values = {"account_id": one.account_id, "llm_client_id": one.llm_client_id}
            moment = one.last_at - timedelta(seconds=number // 3)  # three at a time
            times = {"started_at": moment, "last_at": moment}
            db.session.add(Prompt(session_key=key(number), **values, **times))
        db.session.commit()
    page, seen = alice.get("/sessions/"), []
    while True:
        seen += [str(link["href"]) for link in page.html.select("table.sessions tbody td > a")]
        older = page.html.select_one("a[rel=next]")
        if older is None:
            break
        page = alice.get(str(older["href"]))
    assert len(seen) == 120
    assert len(set(seen)) == 120
    back: list[str] = []
    while (newer := page.html.select_one("a[rel=prev]")) is not None:
        page = alice.get(str(newer["href"]))
        back = [str(link["href"]) for link in page.html.select("table.sessions tbody td > a")]
        assert len(back) == 50
    assert back == seen[:50]


def test_filters_narrow_by_client_rating_errors_and_time(
    planes: Planes, alice: Browser, museum: str, make_client: MakeClient, tell: Telling
) -> None:
    tell("good", session=key(1), client=museum)
    tell("broken", session=key(2), client=museum, status=502)
    tell("other", session=key(3), client=make_client("other"))
    tell("old", session=key(4), client=museum, ago=timedelta(days=20))
    with planes.worker.app_context():
        db.session.scalars(db.select(Prompt).filter_by(session_key=key(1))).one().rating = 1
        db.session.commit()
    assert questions(alice.get("/sessions/")) == ["other", "broken", "good"]
    for query, expected in (
        (f"client={museum}", ["broken", "good"]),
        ("errors=1", ["broken"]),
        ("rating=helpful", ["good"]),
        ("rating=none", ["other", "broken"]),
        ("rating=not", []),
        ("range=30d", ["other", "broken", "good", "old"]),
        ("rating=bogus&errors=7&before=x-y", ["other", "broken", "good"]),
        ("after=x-y", ["other", "broken", "good"]),
        ("after=" + "9" * 17 + "-1", ["other", "broken", "good"]),
        ("before=" + "9" * 17 + "-1", ["other", "broken", "good"]),
    ):
        assert questions(alice.get(f"/sessions/?{query}")) == expected, query
    alice.get("/sessions/?client=nobody", 404)


def test_a_look_for_something_rare_is_bounded_and_goes_on(
    planes: Planes, alice: Browser, museum: str, tell: Telling
) -> None:
    tell("rare", session=key(0), status=502, ago=HOUR)
    with planes.worker.app_context():
        one = db.session.scalars(db.select(Prompt)).one()
        like = {column.name: getattr(one, column.name) for column in Prompt.__table__.c}
        like |= {"error_count": 0, "last_at": one.last_at + timedelta(minutes=5)}
        del like["id"]
        rows = [{**like, "session_key": key(n)} for n in range(1, sessions.MOST_ROWS + 1)]
        db.session.execute(Prompt.__table__.insert(), rows)
        db.session.commit()
    page = alice.get("/sessions/?errors=1")
    assert questions(page) == []
    assert "Nothing found so far; looked as far as" in page.words
    onward = page.find(".card-note a")
    assert questions(alice.get(str(onward["href"]))) == ["rare"]


def test_a_session_tells_everything_with_gaps_and_revisions(
    alice: Browser, museum: str, tell: Telling
) -> None:
    tell("One?", "First.", session=key(1), ago=3 * HOUR, revision_number=7, tokens_in=10)
    tell("Two?", "", session=key(1), ago=HOUR, revision_number=8, status=504, error_code="timeout")
    tell("Three?", "Third.", session=key(1), ago=HOUR - timedelta(minutes=1), revision_number=8)
    page = alice.get(f"/sessions/{key(1)}")
    words = page.find("section[aria-labelledby=conversation]").get_text(" ")
    told = [" ".join(found.get_text().split()) for found in page.html.select(".between-turns")]
    assert "2 h later" in told
    assert "Revision 8 from here, before it 7" in told
    assert len([sentence for sentence in told if sentence.startswith("Revision")]) == 1
    for said in ("One?", "First.", "Two?", "Timed out", "Three?", "Third."):
        assert said in words
    totals = " ".join(page.find("section[aria-labelledby=totals]").get_text(" ").split())
    assert "Requests 3" in totals
    assert "Without an answer 1" in totals
    assert "Lasted 2 h" in totals


def test_a_long_session_goes_on_on_the_next_page(
    alice: Browser, museum: str, tell: Telling
) -> None:
    for number in range(103):
        tell(f"question {number}.", session=key(1))
    page = alice.get(f"/sessions/{key(1)}")
    assert "question 99." in page.words
    assert "question 100." not in page.words
    page = alice.get(str(page.find("a[rel=next]")["href"]))
    assert "question 102." in page.words
    assert "question 99." not in page.words


def test_rating_and_note_are_kept_and_audited(
    planes: Planes, people: People, alice: Browser, museum: str, tell: Telling
) -> None:
    tell(session=key(1))
    path = f"/sessions/{key(1)}"
    alice.post(path, {"rating": "-1", "note": " Was <b>cross</b>. "})
    page = alice.get(path)
    assert page.find("textarea").get_text().strip() == "Was <b>cross</b>."
    assert "Not helpful" in page.find("section[aria-labelledby=totals]").get_text()
    page = alice.post(path, {"rating": "5", "note": "x" * 4_001}, 422)
    assert page.find("textarea").get_text().strip() == "x" * 4_001
    vera = people.browser(people.vera)
    assert "Was <b>cross</b>." in vera.get(path).words
    vera.post(path, {"rating": "1", "note": ""}, 403)
    alice.post(path, {"rating": "", "note": ""})
    with planes.worker.app_context():
        events = db.session.scalars(db.select(AuditEvent).filter_by(action="session_noted")).all()
        assert [(event.before, event.after) for event in events] == [
            ({"rating": None, "has_note": False}, {"rating": -1, "has_note": True}),
            ({"rating": -1, "has_note": True}, {"rating": None, "has_note": False}),
        ]


def test_a_stranger_finds_no_session(
    people: People, alice: Browser, museum: str, tell: Telling
) -> None:
    tell("hidden words", session=key(1))
    stranger = people.browser(people.charlie)
    stranger.get(f"/sessions/{key(1)}", 404)
    stranger.post(f"/sessions/{key(1)}", {"rating": "1", "note": "x"}, 404)
    assert "hidden words" not in stranger.get("/sessions/").words


def test_fifty_sessions_cost_as_few_queries_as_one(
    planes: Planes, alice: Browser, museum: str, tell: Telling
) -> None:
    tell(session=key(0))
    alice.get("/sessions/")
    for number in range(51):
        tell(session=key(number))
    for path in ("/sessions/", f"/sessions/{key(0)}"):
        with statements_of(planes.admin) as asked:
            alice.get(path)
        assert len(asked) <= 8, asked


def test_the_list_goes_by_its_index(planes: Planes, people: People, museum: str) -> None:
    """In both directions; of the account and of a client."""
    filters = sessions.parse({}, ZoneInfo("UTC"), utc_now())
    place = sessions.cursor_of("1000-1")
    with planes.worker.app_context():
        client = db.session.scalars(db.select(LLMClient)).first()
        assert client is not None
        connection = db.session.connection()
        for chosen, index in ((None, "account_id_last_at"), (client, "llm_client_id_last_at")):
            walked = sessions._walked(people.alice.account_id, filters, chosen)  # type: ignore[arg-type]
            for places, order in (
                (sessions._older_than(place), sessions._NEWEST_FIRST),
                (sessions._newer_than(place), sessions._OLDEST_FIRST),
            ):
                plan = plan_of(connection, walked.where(*places).order_by(*order).limit(51))
                assert index in plan, plan
                assert "SCAN" not in plan, plan


def plan_of(connection: Connection, query: Any) -> str:
    """How the database would go about it, if it had more rows than here."""
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
    sql = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    rows = connection.exec_driver_sql(explain + sql.replace("%%", "%")).all()
    return "\n".join(str(row) for row in rows)
