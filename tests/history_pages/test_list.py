"""The list of requests: filters as addresses, chips, chart, columns, sentences, what it costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal.database import db, utc_now
from portal.llm_clients.models import LLMClient
from portal.request_history import numbering
from portal.request_history.models import LLMClientRequests
from tests.history_pages.conftest import Telling, listed, statements_of
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes

MOST_QUERIES = 8
LARGEST_LIST = 30_000
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def chips(page: Page) -> list[str]:
    return [" ".join(chip.get_text(" ").split()) for chip in page.html.select(".chip")]


def options(page: Page, name: str) -> list[str]:
    return [found.get_text() for found in page.html.select(f"select[name={name}] option")][1:]


def bars(page: Page) -> dict[str, int]:
    """The sums of the chart's table by the name of the part."""
    names = [cell.get_text() for cell in page.html.select(".card-footer thead th")][1:]
    rows = page.html.select(".card-footer tbody tr")
    columns = zip(*([cell.get_text() for cell in row.select("td")] for row in rows), strict=True)
    return {name: sum(map(int, column)) for name, column in zip(names, columns, strict=True)}


def test_each_filter_is_a_chip_that_leads_back(alice: Browser, museum: str, tell: Telling) -> None:
    tell(status=429)
    wanted = tell(status=504, error_code="timeout", model="gpt-9", latency_ms=30_000)
    page = alice.get(f"/requests/?status=failed&model=gpt-9&slower=2&client={museum}&range=24h")
    assert listed(page) == [wanted]
    assert chips(page) == [
        "LLM client: museum",
        "Status: Failed",
        "Model: gpt-9",
        "Took at least: 2 s",
    ]
    for chip in page.html.select(".chip a"):
        fewer = alice.get(str(chip["href"]))
        assert len(chips(fewer)) == 3
        assert "range=24h" in str(chip["href"])
    cleared = next(link for link in page.html.select(".chips a") if link.get_text() == "Clear all")
    assert len(listed(alice.get(str(cleared["href"])))) == 2


def test_outcomes_are_words(alice: Browser, museum: str, tell: Telling) -> None:
    for status, cause in ((200, ""), (429, "rate"), (499, ""), (504, "timeout"), (502, "refused")):
        tell(status=status, error_code=cause)
    words = [found.get_text() for found in alice.get("/requests/").html.select(".state-drawn")]
    assert words == ["Failed", "Timed out", "Visitor left", "Refused", "Answered"]


def test_choices_have_counts_of_the_range_that_heed_each_other(
    alice: Browser, museum: str, tell: Telling, people: People
) -> None:
    tell(provider="openai", model="gpt-9", mode="custom")
    tell(provider="openai", model="gpt-9", mode="sandbox", revision_number=3)
    tell(provider="openai", model="gpt-8", mode="custom")
    tell(provider="openai", model="old", ago=20 * DAY)
    page = alice.get("/requests/?range=24h&with=filters")
    assert options(page, "model") == ["gpt-9 (2)", "gpt-8 (1)", "old (0)"]
    assert options(page, "mode") == ["Default host (0)", "Custom domain (2)", "Sandbox (1)"]
    assert not page.html.select("select[name=revision]")
    page = alice.get(f"/requests/?range=24h&with=filters&model=gpt-9&client={museum}")
    assert options(page, "model") == ["gpt-9 (2)", "gpt-8 (1)", "old (0)"]
    assert options(page, "mode") == ["Default host (0)", "Custom domain (1)", "Sandbox (1)"]
    assert options(page, "revision") == ["3 (1)"]
    assert options(people.browser(people.charlie).get("/requests/?with=filters"), "model") == []


@pytest.mark.parametrize("span", ["48h", "30d"])
def test_the_chart_counts_what_the_list_shows(
    span: str, alice: Browser, museum: str, make_client: MakeClient, tell: Telling
) -> None:
    other = make_client("other")
    for status in (200, 200, 429, 502):
        tell(status=status, client=museum, mode="sandbox" if status == 429 else "custom")
    tell(client=other)
    assert bars(alice.get(f"/requests/?range={span}&with=numbers")) == {
        "Answered": 3,
        "Refused": 1,
        "Failed": 1,
    }
    page = alice.get(f"/requests/?range={span}&with=numbers&client={museum}&mode=custom")
    assert bars(page) == {"Answered": 2, "Failed": 1}
    query = f"range={span}&with=numbers&client={museum}&status=failed&host=nowhere"
    page = alice.get(f"/requests/?{query}")
    assert bars(page) == {"Failed": 1}
    assert "leaves out the host" in page.words


def test_by_the_minute_the_chart_heeds_every_filter_but_the_search(
    alice: Browser, museum: str, tell: Telling
) -> None:
    tell(hostname="chat.example", ago=5 * MINUTE)
    tell(hostname="other.example", ago=5 * MINUTE)
    page = alice.get("/requests/?range=1h&with=numbers&host=chat.example")
    assert bars(page) == {"Answered": 1}
    assert "does not heed the search" in alice.get("/requests/?range=1h&q=what").words


def test_a_bar_leads_to_its_time_with_the_same_filters(
    alice: Browser, museum: str, tell: Telling
) -> None:
    wanted = tell(status=502, ago=30 * MINUTE)
    tell(ago=30 * MINUTE)
    page = alice.get("/requests/?range=24h&with=numbers&status=failed")
    found = [
        listed(alice.get(str(row.select_one("a")["href"])))  # type: ignore[index]
        for row in page.html.select(".card-footer tbody tr")
        if row.select_one("td") and row.select_one("td").get_text() != "0"  # type: ignore[union-attr]
    ]
    assert found == [[wanted]]


def test_chosen_columns_stay_in_the_address(alice: Browser, museum: str, tell: Telling) -> None:
    for _ in range(51):
        tell(model="gpt-9")
    page = alice.get("/requests/?columns=none&columns=model&columns=status&columns=bogus")
    heads = [head.get_text() for head in page.html.select("table.requests th")]
    assert heads == ["Time", "Question and answer", "Status", "Model"]
    assert "gpt-9" in page.find("table.requests").get_text()
    older = alice.get(str(page.find("a[rel=next]")["href"]))
    assert [head.get_text() for head in older.html.select("table.requests th")] == heads
    bare = alice.get("/requests/?columns=none")
    assert len(bare.html.select("table.requests th")) == 2


def test_problems_are_sentences(alice: Browser, museum: str, tell: Telling) -> None:
    tell()
    page = alice.get("/requests/?slower=soon&range=eternity&mode=x&tokens=-1")
    assert len(listed(page)) == 1
    told = [found.get_text() for found in page.html.select(".notice-line")]
    assert any("eternity" in sentence for sentence in told)
    assert any("soon" in sentence for sentence in told)
    assert len(told) == 4


def test_custom_asks_for_its_times_and_keeps_them(
    alice: Browser, museum: str, tell: Telling
) -> None:
    tell()
    assert not alice.get("/requests/").html.select("input[name=from]")
    assert alice.get("/requests/?range=custom").html.select("input[name=from]")
    page = alice.get("/requests/?range=custom&from=2026-13-99&to=")
    assert page.find("input[name=from]")["value"] == "2026-13-99"
    assert "A day is written like" in page.words


def test_short_words_and_long_looks_are_told(alice: Browser, museum: str, tell: Telling) -> None:
    wanted = tell("Hm, hu?")
    page = alice.get("/requests/?q=hu")
    assert listed(page) == [wanted]
    assert "row by row in the shown range" in page.words


def test_what_was_not_looked_at_is_told_and_gone_on_with(
    planes: Planes, people: People, alice: Browser, museum: str, tell: Telling
) -> None:
    wanted = tell(model="rare", ago=60 * MINUTE)
    with planes.worker.app_context():
        account_id, now = people.alice.account_id, utc_now()
        db.session.execute(
            LLMClientRequests.__table__.insert(),
            [
                {
                    **_plain(account_id),
                    "id": numbering.first_of(now - 30 * MINUTE) + number,
                    "created_at": now,
                    "updated_at": now,
                    "request_id": f"n{number}",
                }
                for number in range(10_001)
            ],
        )
        db.session.commit()
    page = alice.get("/requests/?model=rare")
    assert listed(page) == []
    assert "Nothing found so far; looked as far as" in page.words
    onward = next(link for link in page.html.select("#status a") if "Go on" in link.get_text())
    assert listed(alice.get(str(onward["href"]))) == [wanted]


def _plain(account_id: int) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "session_key": "",
        "is_aggregation": False,
        "llm_client_name": "",
        "hostname": "",
        "mode": "",
        "provider": "",
        "model": "",
        "status": 200,
        "error_code": "",
        "error_text": "",
        "tokens_in": 0,
        "tokens_out": 0,
        "price_version": "",
        "question_preview": "",
        "answer_preview": "",
    }


@pytest.fixture
def fold(planes: Planes, people: People) -> Callable[..., None]:
    """A day's sums in place of its requests."""

    def write(days_ago: int, **sums: int) -> None:
        with planes.worker.app_context():
            client = db.session.scalars(
                db.select(LLMClient).filter_by(account_id=people.alice.account_id)
            ).one()
            day = (utc_now() - days_ago * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
            row = LLMClientRequests(
                llm_client=client,
                id=numbering.of_day(day, client.id),
                created_at=day,
                is_aggregation=True,
                request={"from": day.isoformat(), **sums},
            )
            db.session.add(row)
            db.session.commit()

    return write


def test_folded_days_stand_at_the_end_of_the_last_page(
    alice: Browser, museum: str, tell: Telling, fold: Callable[..., None]
) -> None:
    fold(5, requests=1_200, answered=1_190, failed=10, tokens_in=9_000, tokens_out=500)
    page = alice.get("/requests/?range=7d")
    assert "1,200 requests" in page.words
    assert "1,190 answered, 10 failed" in page.words
    assert "9,500" in page.words
    assert "1,200" not in alice.get("/requests/?range=24h").words
    for _ in range(51):
        tell()
    page = alice.get("/requests/?range=7d")
    assert "1,200 requests" not in page.words
    assert "1,200 requests" in alice.get(str(page.find("a[rel=next]")["href"])).words
    assert "1,200 requests" not in alice.get("/requests/?range=7d&status=failed").words


def test_an_empty_range_leads_to_the_newest_request(
    alice: Browser, museum: str, make_client: MakeClient, tell: Telling
) -> None:
    wanted = tell(ago=20 * DAY, client=museum)
    page = alice.get("/requests/?range=24h")
    assert page.find(".empty-state h2").get_text() == "Nothing in this time"
    assert listed(alice.get(str(page.find(".empty-state a")["href"]))) == [wanted]
    other = make_client("other")
    page = alice.get(f"/requests/?client={other}")
    assert page.find(".empty-state h2").get_text() == "No request matches"


def test_a_link_shows_its_receiver_only_their_own(
    people: People, alice: Browser, museum: str, tell: Telling
) -> None:
    tell("hidden words", session="s" * 40, model="secret-model")
    stranger = people.browser(people.charlie)
    stranger.get(f"/requests/?client={museum}", 404)
    for query in ("q=hidden", "session_key=" + "s" * 40, "model=secret-model", "status=answered"):
        page = stranger.get(f"/requests/?{query}")
        assert listed(page) == []
        assert "hidden words" not in page.words


def test_a_page_asks_little_and_weighs_little(
    planes: Planes, people: People, museum: str, tell: Telling
) -> None:
    for number in range(60):
        tell(
            f"Is there a guided tour in German on day {number} of the month, and what is it?",
            "Yes, every Saturday at three; the meeting point is the desk on the ground floor.",
            model="gpt-9",
            provider="openai",
            latency_ms=900,
            cost_micros=900,
            tokens_in=700,
            hostname="chat.example",
        )
    alice = people.browser(people.alice)
    alice.get("/requests/")
    for query in ("", f"client={museum}", "host=chat.example", "range=1h", "model=gpt-9&range=30d"):
        with statements_of(planes.admin) as asked:
            page = alice.get(f"/requests/?{query}")
        assert len(asked) <= MOST_QUERIES, (query, asked)
        assert len(listed(page)) == 50
        assert len(str(page.find("#status")).encode()) <= LARGEST_LIST
    with statements_of(planes.admin) as asked:
        alice.get(f"/requests/?host=nowhere&client={museum}")
    assert len(asked) <= MOST_QUERIES, asked
    with statements_of(planes.admin) as asked:
        assert len(listed(alice.get("/requests/?status=answered"))) == 50
    assert len(asked) <= MOST_QUERIES, asked
    alice.get("/requests/?q=guided")  # asks once whether there is an index of words
    for typed in ("guided", "%22on day 59 of%22", "nothing at all", "ay", "qq"):
        with statements_of(planes.admin) as asked:
            alice.get(f"/requests/?q={typed}")
        assert len(asked) <= MOST_QUERIES, (typed, asked)


def test_filters_that_are_not_there_yet_keep_what_they_chose(
    alice: Browser, museum: str, tell: Telling
) -> None:
    tell(provider="openai", model="gpt-9")
    query = f"range=24h&client={museum}&model=gpt-9&slower=2&columns=model"
    page = alice.get(f"/requests/?{query}")
    assert not page.html.select("select[name=model]")
    hidden = page.html.select("#more-filters input[type=hidden]")
    kept = {str(field["name"]): str(field["value"]) for field in hidden}
    assert kept == {"client": museum, "model": "gpt-9", "slower": "2", "columns": "model"}
    more = alice.get(str(page.find("#more-filters a")["href"]))
    assert not more.html.select("#more-filters input[type=hidden][name=model]")
    assert more.find("select[name=model] option[selected]")["value"] == "gpt-9"
    assert more.find("input[name=slower]")["value"] == "2"
    assert listed(more) == listed(page)
