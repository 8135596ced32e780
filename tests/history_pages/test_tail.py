"""The live tail: it asks for rows only when something came in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.history_pages.conftest import Telling, listed, statements_of
from tests.people import Browser, Page, People
from tests.planes import Planes

MINUTE = timedelta(minutes=1)


class Watching:
    """A browser's page that polls."""

    def __init__(self, browser: Browser, query: str) -> None:
        self.browser, self.etag = browser, ""
        page = browser.get(f"/requests/?{query}")
        self.url = str(page.find("#status")["data-poll-url"])

    def poll(self) -> Page | None:
        """What came, or None for nothing new."""
        headers = {"If-None-Match": self.etag} if self.etag else {}
        answer = self.browser.raw("GET", self.url, headers=headers)
        if answer.status_code == 304:
            assert answer.get_data() == b""
            return None
        assert answer.status_code == 200
        self.etag = answer.headers["ETag"]
        page = Page(answer)
        self.url = str(page.find("#status")["data-poll-url"])
        return page


def news(page: Page | None) -> str:
    assert page is not None
    return page.find("[data-poll-say]").get_text()


def test_ten_minutes_of_polling_read_rows_only_when_something_came(
    planes: Planes, alice: Browser, museum: str, tell: Telling
) -> None:
    tell()
    watching = Watching(alice, "live=1")
    watching.poll()
    came = {40: 3, 90: 1}
    answers: dict[int, Any] = {}
    with statements_of(planes.admin) as asked:
        for second in range(0, 600, 5):
            for _ in range(came.get(second // 5, 0)):
                tell()
            page = watching.poll()
            if page is not None:
                answers[second // 5] = page
    rows = [statement for statement in asked if "llm_client_requests.answer_preview" in statement]
    assert list(answers) == [40, 90]
    assert len(rows) == 2 * 2  # the page, and the days that are folded into sums
    assert news(answers[40]).startswith("3 new at ")
    assert news(answers[90]).startswith("1 new at ")
    assert len(listed(answers[90])) == 5


def test_a_late_row_is_noticed(alice: Browser, museum: str, tell: Telling) -> None:
    tell()
    watching = Watching(alice, "live=1&range=24h")
    watching.poll()
    assert watching.poll() is None
    late = tell(ago=MINUTE)
    page = watching.poll()
    assert page is not None
    assert late in listed(page)
    assert news(page) == ""


def test_what_the_filters_leave_out_is_no_news(alice: Browser, museum: str, tell: Telling) -> None:
    failed = tell(status=502)
    watching = Watching(alice, f"live=1&status=failed&client={museum}&columns=model")
    watching.poll()
    tell()
    page = watching.poll()
    assert listed(page or Page(None)) == [failed]
    assert news(page) == ""
    assert "Model" in (page or Page(None)).words


def test_other_accounts_do_not_wake_it(
    people: People, alice: Browser, museum: str, make_client: Any, tell: Telling
) -> None:
    make_client("theirs", people.charlie)
    tell()
    watching = Watching(alice, "live=1")
    watching.poll()
    tell(person=people.charlie)
    assert watching.poll() is None


@pytest.mark.parametrize("query", ["", "live=1&before={n}", "live=1&from=2026-01-01&to=2026-01-02"])
def test_only_the_first_page_of_the_present_is_live(
    query: str, alice: Browser, museum: str, tell: Telling
) -> None:
    number = tell()
    tell()
    page = alice.get(f"/requests/?{query.format(n=number + 1)}")
    assert not page.html.select("[data-poll-url]")


def test_a_strange_mark_or_number_is_no_fault(alice: Browser, museum: str, tell: Telling) -> None:
    tell()
    for since in ("", "x", "-1", "9" * 40):
        answer = alice.raw("GET", f"/requests/tail?since={since}", headers={"If-None-Match": "x"})
        assert answer.status_code == 200
    alice.get("/requests/tail?client=nobody", 404)
