"""The pages of usage: ranges in the address, numbers in words, ways to the list, nothing to see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.limits import finding
from portal.limits.budgets import starts_on
from portal.limits.models import BudgetUse, SubjectKinds
from portal.llm_clients.models import LLMClient
from portal.providers.models import Provider
from tests.overview.conftest import Write, statements
from tests.overview.test_overview import tiles
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes

MINUTE = timedelta(minutes=1)
SetBudget = Callable[..., None]


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


@pytest.fixture
def hashed_id(make_client: MakeClient) -> str:
    return make_client()


@pytest.fixture
def pages(planes: Planes, people: People, hashed_id: str) -> list[str]:
    """The addresses of the three pages."""
    with planes.worker.app_context():
        provider = db.session.scalars(
            db.select(Provider).where(Provider.account_id == people.alice.account_id)
        ).one()
        return ["/", f"/llm-clients/{hashed_id}/usage", f"/providers/{provider.id}/usage"]


@pytest.fixture
def set_budget(planes: Planes, people: People) -> SetBudget:
    """A budget of the account (or of a client) in micro-units, and what is used of it."""

    def store(hashed_id: str = "", used: int = 0, **amounts: int) -> None:
        with planes.worker.app_context():
            account = db.session.get_one(Account, people.alice.account_id)
            query = db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
            client = db.session.scalars(query).one_or_none()
            kind = SubjectKinds.CLIENT if client else SubjectKinds.ACCOUNT
            subject_id = client.id if client else account.id
            row = finding.made(account, kind, subject_id)
            for name, amount in amounts.items():
                setattr(row, name, amount)
                period = name.partition("_")[0]
                use = BudgetUse(
                    account_id=account.id, kind=kind, subject_id=subject_id, period=period
                )
                use.starts_on, use.micros = starts_on(period, utc_now(), account.timezone), used
                db.session.add(use)
            db.session.commit()

    return store


def chosen(page: Page) -> str:
    return str(page.find("select[name=range] option[selected]")["value"])


def test_a_range_is_chosen_by_the_address_on_all_of_them(
    alice: Browser, pages: list[str], hashed_id: str, write: Write
) -> None:
    now = utc_now()
    for minutes in (5, 100, 60 * 30):
        write(hashed_id, now - minutes * MINUTE, latency_ms=100)
    for path in pages:
        for name, requests in (("1h", "1"), ("24h", "2"), ("7d", "3"), ("90d", "3")):
            page = alice.get(f"{path}?range={name}")
            assert chosen(page) == name
            assert tiles(page)["Requests"][0] == requests, (path, name)
            form = page.find("form[data-filter]")
            assert (form["action"], form.get("method", "get")) == (path, "get")


def test_a_custom_range_has_fields_that_keep_what_was_typed(
    alice: Browser, pages: list[str], hashed_id: str, write: Write
) -> None:
    write(hashed_id, utc_now())
    for path in pages:
        page = alice.get(f"{path}?range=custom&from=2026-02-30&to=tomorrow")
        assert chosen(page) == "custom"
        assert page.find("input[name=from]")["value"] == "2026-02-30"
        assert page.find("input[name=to]")["value"] == "tomorrow"
        assert "A day is written like 2026-10-25" in page.words
        assert alice.get(f"{path}?range=custom").find("input[name=from]")["value"] == ""


@pytest.mark.parametrize(
    "query",
    [
        "range=zebra",
        "range=1h&from=x",
        "from=1999-01-01",
        "from=2026-01-01&to=2020-01-01",
        "range=" + "9" * 3000,
    ],
)
def test_no_range_is_a_fault(query: str, alice: Browser, pages: list[str]) -> None:
    for path in pages:
        alice.get(f"{path}?{query}")


def test_a_client_that_nobody_asked_is_taught(alice: Browser, pages: list[str]) -> None:
    for path in pages:
        page = alice.get(path)
        assert "Nobody has asked anything yet" in page.words
        assert not tiles(page)


def test_a_time_with_nothing_leads_to_the_day_of_the_newest(
    alice: Browser, pages: list[str], hashed_id: str, write: Write
) -> None:
    write(hashed_id, utc_now() - timedelta(days=3))
    for path in pages:
        page = alice.get(f"{path}?range=1h")
        assert "Nothing in this time" in page.words
        link = page.find(".empty-state a")
        assert link.get_text() == "Show that day"
        assert tiles(alice.get(str(link["href"])))["Requests"][0] == "1"


def test_a_cause_leads_to_the_requests_that_have_it(
    alice: Browser, pages: list[str], hashed_id: str, write: Write
) -> None:
    now = utc_now()
    write(hashed_id, now - MINUTE, status=502, error_code="timeout", question_preview="Slow one?")
    write(hashed_id, now - MINUTE, question_preview="Quick one?")
    kept = [{}, {"client": [hashed_id]}, {"provider": ["demo"]}]
    for path, filters in zip(pages, kept, strict=True):
        page = alice.get(f"{path}?range=24h")
        link = page.find("section[aria-label^='Why were'] a")
        assert link.get_text() == "The provider took too long"
        sent = parse_qs(urlsplit(str(link["href"])).query)
        assert sent == {"cause": ["timeout"], "range": ["24h"], **filters}
        listed = alice.get(str(link["href"])).words
        assert "Slow one?" in listed
        assert "Quick one?" not in listed


def test_charts_choose_a_time_and_keep_the_filter(
    alice: Browser, pages: list[str], hashed_id: str, write: Write
) -> None:
    write(hashed_id, utc_now(), latency_ms=10)
    addresses = ["/requests/", f"/requests/?client={hashed_id}", "/requests/?provider=demo"]
    for path, address in zip(pages, addresses, strict=True):
        drawn = alice.get(path).html.select("svg[data-choose]")
        assert {str(one["data-choose"]) for one in drawn} == {address}
        assert len(drawn) == 2


def test_outcomes_are_told_apart(alice: Browser, hashed_id: str, write: Write) -> None:
    for status in (200, 200, 429, 499, 502):
        write(hashed_id, utc_now(), status=status)
    page = alice.get("/?range=24h&with=numbers")
    assert tiles(page)["Answered without error"] == (
        "40.0%",
        "1 failed, 1 refused, 1 visitor left; none before",
    )
    newest = page.find("section[aria-label='Were requests answered?'] tbody tr:last-child")
    assert [cell.get_text() for cell in newest.select("td")][:4] == ["2", "1", "1", "1"]


def test_the_month_is_held_against_the_budget(
    alice: Browser, pages: list[str], hashed_id: str, write: Write, set_budget: SetBudget
) -> None:
    write(hashed_id, utc_now(), cost_micros=4_200)
    assert tiles(alice.get(pages[0]))["Cost this month"] == (
        "US$ 0.0042",
        "No budget in money is set",
    )
    set_budget(month_micros=100_000_000, day_micros=50_000_000, used=91_000_000)
    set_budget(hashed_id, day_micros=2_000_000, used=500_000)
    page = alice.get(pages[0])
    assert tiles(page)["Cost this month"] == ("US$ 91.00", "91% of a budget of US$ 100.00")
    meter = page.find(".stats progress")
    assert (meter["value"], "state-attention" in meter["class"]) == ("91", True)
    assert tiles(alice.get(pages[1]))["Cost today"] == ("US$ 0.50", "25% of a budget of US$ 2.00")
    assert not [label for label in tiles(alice.get(pages[2])) if label.startswith("Cost t")]


def test_parts_tell_which_revision_was_asked_and_lead_to_it(
    alice: Browser, pages: list[str], hashed_id: str, write: Write
) -> None:
    for revision, status in ((1, 200), (2, 200), (2, 502)):
        write(hashed_id, utc_now(), revision_number=revision, status=status, cost_micros=2_000_000)
    page = alice.get(pages[1])
    row = page.find("section[aria-labelledby=parts] tbody tr")
    assert [cell.get_text() for cell in row.select("th, td")] == [
        "Revision 2",
        "2",
        "50%",
        "No answers",
        "US$ 4.00",
    ]
    query = parse_qs(urlsplit(str(row.find("a")["href"])).query)
    assert query == {"range": ["7d"], "client": [hashed_id], "revision": ["2"]}
    models = alice.get(pages[2]).html.select("section[aria-labelledby=parts] tbody tr")
    assert [one.find("th").get_text() for one in models] == ["demo"]


def test_nothing_of_another_account_is_counted(
    people: People, pages: list[str], hashed_id: str, make_client: MakeClient, write: Write
) -> None:
    write(hashed_id, utc_now())
    make_client("theirs", people.charlie)
    charlie = people.browser(people.charlie)
    for name in ("1h", "24h"):
        assert "Nobody has asked anything yet" in charlie.get(f"/?range={name}").words
    for path in pages[1:]:
        charlie.get(path, 404)


def test_who_only_looks_on_may_see_them(
    people: People, pages: list[str], hashed_id: str, write: Write
) -> None:
    write(hashed_id, utc_now())
    for path in pages:
        assert tiles(people.browser(people.vera).get(path))["Requests"][0] == "1"


@pytest.mark.parametrize("name", ["1h", "7d", "90d"])
def test_a_page_asks_eight_times_at_most(
    name: str,
    planes: Planes,
    alice: Browser,
    pages: list[str],
    hashed_id: str,
    write: Write,
    set_budget: SetBudget,
) -> None:
    set_budget(month_micros=100_000_000)
    for index in range(6):
        write(hashed_id, utc_now() - index * MINUTE, api_key_id=index, revision_number=index)
    for path in pages:
        alice.get(path)
        with statements(planes) as asked:
            alice.get(f"{path}?range={name}")
        assert len(asked) <= 8, "\n".join(asked)
