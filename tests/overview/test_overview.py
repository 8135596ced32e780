"""The first page: what a newcomer reads, and that the week's numbers are right everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from tests.counted import count
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes

Used = Callable[..., None]


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


@pytest.fixture
def used(planes: Planes, make_client: MakeClient) -> Used:
    """An hour's sums of the one client, in the account's zone."""
    make_client()

    def write(at: datetime, answered: int = 1, failed: int = 0, mode: str = "default") -> None:
        with planes.worker.app_context():
            llm_client = db.session.scalars(db.select(LLMClient)).one()
            count(llm_client, at, answered, failed, mode, latency_ms=2000)

    return write


def set_zone(planes: Planes, people: People, zone: str) -> None:
    with planes.worker.app_context():
        db.session.get_one(Account, people.alice.account_id).timezone = zone
        db.session.commit()


def tiles(page: Page) -> dict[str, tuple[str, str]]:
    """Number and note of each tile."""
    found = {}
    for tile in page.html.select(".stats > div"):
        value, note = tile.select_one(".big").get_text(), tile.select_one(".small").get_text()
        found[tile.select_one("dt").get_text()] = (value, note)
    return found


def bars(page: Page) -> list[int]:
    """Answered requests of each stretch of six hours, from the table below the chart."""
    table = page.find("section[aria-label='Were requests answered?'] tbody")
    return [int(row.select("td")[0].get_text()) for row in table.select("tr")]


def test_a_newcomer_reads_three_steps(alice: Browser) -> None:
    page = alice.get("/")
    assert page.find(".empty-state h2").get_text() == "Three steps to your first chat"
    assert page.find("main a.btn-primary")["href"] == "/llm-clients/new"
    assert not page.html.select(".stats")


def test_a_quiet_account_is_taught_and_has_no_complaint(
    alice: Browser, make_client: MakeClient
) -> None:
    make_client()
    page = alice.get("/")
    assert not tiles(page)
    assert "Nothing needs attention" in page.words
    assert "Nobody has asked anything yet" in page.words


def test_the_week_is_compared_with_the_one_before(alice: Browser, used: Used) -> None:
    now = utc_now()
    used(now, 8, 2)
    used(now - timedelta(days=8), 20)
    used(now - timedelta(days=30), 999)
    used(now, 50, mode="sandbox")
    found = tiles(alice.get("/"))
    assert found["Requests"] == ("10", "50% fewer than before")
    assert found["Answered without error"] == ("80.0%", "2 failed; 100.0% before")
    value, note = found["95% answered within"]
    assert value == "2.0 s"
    assert note.endswith("as quick as before")


ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
DAYS = {
    "an ordinary day": date(2026, 6, 17),
    "the day on which Berlin's clocks go forward": date(2026, 3, 29),
    "a week after Berlin's clocks went back": date(2026, 10, 28),
}


@pytest.mark.parametrize("day", list(DAYS.values()), ids=list(DAYS))
@pytest.mark.parametrize("name", ZONES)
def test_midnight_is_that_of_the_account(
    day: date, name: str, planes: Planes, people: People, used: Used
) -> None:
    set_zone(planes, people, name)
    zone = ZoneInfo(name)
    today = datetime.combine(day, time(), zone)
    first = today - timedelta(days=6)
    used(in_utc(first) - timedelta(minutes=1), 100)
    used(first, 1)
    used(first + timedelta(hours=6), 2)
    used(today - timedelta(hours=1), 3)
    used(today, 4)
    used(today + timedelta(hours=23), 5)
    with time_machine.travel(in_utc(today + timedelta(hours=23, minutes=59)), tick=False):
        page = people.browser(people.alice).get("/?with=numbers")
    assert tiles(page)["Requests"][0] == "15"
    expected = [0] * 28
    expected[0], expected[1], expected[23], expected[24], expected[27] = 1, 2, 3, 4, 5
    assert bars(page) == expected


def in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def test_an_hour_of_the_week_before_is_counted_once(
    planes: Planes, people: People, used: Used
) -> None:
    """Berlin's clocks go back on 25 October 2026: that week has 169 hours."""
    zone = ZoneInfo("Europe/Berlin")
    used(datetime(2026, 10, 31, 23, tzinfo=zone), 7)
    used(datetime(2026, 11, 1, 0, tzinfo=zone), 70)
    with time_machine.travel(datetime(2026, 11, 7, 12, tzinfo=zone), tick=False):
        page = people.browser(people.alice).get("/")
    assert tiles(page)["Requests"] == ("70", "900% more than before")


def test_a_failed_deployment_needs_attention_and_says_who_acts(
    planes: Planes, alice: Browser, make_client: MakeClient
) -> None:
    make_client("broken")
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        now = utc_now()
        run = Deployment(
            llm_client=llm_client,
            kind="deploy",
            state="failed",
            plan=["publish_dns"],
            step="publish_dns",
            started_at=now,
            finished_at=now,
            message="The zone refuses us.",
            who_acts="platform",
        )
        db.session.add(run)
        db.session.commit()
    page = alice.get("/")
    words = " ".join(page.find("section[aria-labelledby=attention]").get_text(" ").split())
    assert "broken" in words
    assert "The zone refuses us." in words
    assert "Whoever runs this portal has to act" in words


def test_nothing_of_another_account_counts(people: People, used: Used) -> None:
    used(utc_now(), 9)
    assert "Three steps" in people.browser(people.charlie).get("/").words
