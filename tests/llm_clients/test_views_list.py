"""The list of clients: searching, filtering, paging, and how much it asks the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from flask import Flask

from portal.accounts.models import User, UserProfile
from portal.database import db, utc_now
from portal.llm_clients import registration, revisions
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from tests.counted import count
from tests.people import Browser, MakeClient, Page, People, Person
from tests.planes import Planes

MOST_QUERIES = 8
FRAME_QUERIES = 3  # whose session it is, in which accounts, and the count in the navigation


def names(page: Page) -> list[str]:
    return [link.get_text() for link in page.html.select("tbody .name > a")]


def listed(browser: Browser, **filters: str) -> list[str]:
    return names(browser.get("/llm-clients/?" + urlencode(filters)))


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The SQL statements that run inside."""
    asked: list[str] = []
    with app.app_context():
        engine = db.engine
    listener = lambda *arguments: asked.append(arguments[2])  # noqa: E731
    db.event.listen(engine, "before_cursor_execute", listener)
    try:
        yield asked
    finally:
        db.event.remove(engine, "before_cursor_execute", listener)


@pytest.fixture
def many(planes: Planes, people: People) -> Callable[..., None]:
    """Make clients by the dozen."""

    def make(names: list[str], owner: Person) -> None:
        with planes.worker.app_context():
            profile = db.session.get_one(UserProfile, owner.profile_id)
            for name in names:
                llm_client = LLMClient(
                    account=profile.account,
                    account_id=profile.account_id,
                    user_profile=profile,
                    name=name,
                )
                registration.register(llm_client, profile.user)
            db.session.commit()

    return make


def test_an_account_without_clients_is_shown_the_first_step(people: People) -> None:
    page = people.browser(people.alice).get("/llm-clients/")
    assert page.find(".empty-state h2").get_text() == "Create your first LLM client"
    assert page.find("main a.btn-primary")["href"] == "/llm-clients/new"
    assert not page.html.select("table")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("museum", ["Museum_Guide", "museum-shop"]),
        ("MUSEUM_", ["Museum_Guide"]),
        ("%", ["bakery"]),
        ("_", ["Museum_Guide"]),
        ("100%", ["bakery"]),
        ("\\", []),
        ("' OR 1=1 --", []),
        ("rye", ["bakery"]),
        ("museum-guide.", ["Museum_Guide"]),
        ("food", ["bakery"]),
    ],
)
def test_search_takes_name_description_host_and_tag_to_the_letter(
    query: str, expected: list[str], planes: Planes, people: People, make_client: MakeClient
) -> None:
    make_client("Museum_Guide")
    make_client("museum-shop")
    bakery = make_client("bakery", description="100% rye")
    tag(planes, bakery, "food")
    assert listed(people.browser(people.alice), q=query) == expected


def tag(planes: Planes, hashed_id: str, name: str) -> None:
    with planes.worker.app_context():
        query = db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
        revisions.set_tags(db.session.scalars(query).one(), [name])
        db.session.commit()


def test_filters_by_tag_owner_and_status_work_together(
    planes: Planes, people: People, make_client: MakeClient
) -> None:
    tagged, _ = make_client("one"), make_client("two")
    make_client("bobs", people.bob)
    tag(planes, tagged, "press")
    alice = people.browser(people.alice)
    assert listed(alice, tag="press") == ["one"]
    assert listed(alice, owner=str(people.bob.profile_id)) == ["bobs"]
    assert listed(alice, owner=str(people.bob.profile_id), tag="press") == []
    page = alice.get(f"/llm-clients/?owner={people.bob.profile_id}")
    assert page.find("select[name=owner] option[selected]").get_text() == "bob"
    nothing = alice.get("/llm-clients/?q=zebra")
    assert nothing.find(".empty-state h2").get_text() == "No LLM client matches"


def test_pills_count_the_statuses_and_lead_to_them(
    planes: Planes, people: People, make_client: MakeClient
) -> None:
    make_client("draft")
    with planes.worker.app_context():
        for name in ("running", "broken", "open"):
            query = db.select(LLMClient).where(LLMClient.hashed_id == make_client(name))
            llm_client = db.session.scalars(query).one()
            if name == "open":
                llm_client.deployed = True
                llm_client.dns_verification_status = LLMClient.DnsVerificationStatusChoices.VERIFIED
                llm_client.tls_certificate_issuance_status = (
                    LLMClient.TlsCertificateIssuanceStatusChoices.ISSUED
                )
            else:
                run = deployment.begin(llm_client, Deployment.Kinds.UNDEPLOY, utc_now(), None)
                if name == "broken":
                    deployment._end(run, Deployment.States.FAILED, utc_now())
            db.session.commit()
    alice = people.browser(people.alice)
    pills = alice.get("/llm-clients/").html.select("ul.pills a")
    assert [" ".join(pill.get_text().split()) for pill in pills] == [
        "All 4",
        "Ready 1",
        "In progress 1",
        "Failed 1",
        "Not deployed 1",
    ]
    for status, name in (("ready", "open"), ("failed", "broken"), ("off", "draft")):
        assert listed(alice, status=status) == [name]
    found = [names(alice.get(str(pill["href"]))) for pill in pills[1:]]
    assert found == [["open"], ["running"], ["broken"], ["draft"]]
    current = alice.get(str(pills[2]["href"])).html.select("ul.pills [aria-current]")
    assert [pill.get_text().split()[0] for pill in current] == ["In"]


def test_pages_of_120_clients_have_no_gaps_and_no_repeats(
    people: People, many: Callable[..., None]
) -> None:
    """Also where two owners gave the same names, right at the border of two pages."""
    of_alice = [f"client-{number:03}" for number in range(60)]
    many(of_alice, people.alice)
    many(of_alice, people.bob)
    alice = people.browser(people.alice)
    page = alice.get("/llm-clients/")
    seen, pages = [ids(page)], 1
    while page.html.select_one("a[rel=next]"):
        page = alice.get(str(page.find("a[rel=next]")["href"]))
        seen.append(ids(page))
        pages += 1
    assert [len(found) for found in seen] == [50, 50, 20]
    assert len({one for found in seen for one in found}) == 120
    back = [ids(page)]
    while page.html.select_one("a[rel=prev]"):
        page = alice.get(str(page.find("a[rel=prev]")["href"]))
        back.append(ids(page))
    assert back[::-1] == seen


def ids(page: Page) -> list[str]:
    return [str(link["href"]) for link in page.html.select("tbody .name > a")]


def test_paging_keeps_the_filters(people: People, many: Callable[..., None]) -> None:
    many([f"keep-{number:02}" for number in range(55)], people.alice)
    many(["other"], people.alice)
    alice = people.browser(people.alice)
    page = alice.get("/llm-clients/?q=keep&status=off")
    page = alice.get(str(page.find("a[rel=next]")["href"]))
    assert len(names(page)) == 5
    assert "other" not in names(page)


def test_fifty_rows_cost_as_few_queries_as_one(
    planes: Planes, people: People, many: Callable[..., None]
) -> None:
    many(["client-00"], people.alice)
    alice = people.browser(people.alice)
    alice.get("/llm-clients/")
    with counted(planes.admin) as one:
        alice.get("/llm-clients/")
    many([f"client-{number:02}" for number in range(1, 50)], people.alice)
    with planes.worker.app_context():
        author = db.session.get_one(User, people.alice.user_id)
        for llm_client in db.session.scalars(db.select(LLMClient)).all():
            deployment.begin(llm_client, Deployment.Kinds.DEPLOY, utc_now(), author)
            llm_client.published_revision = revisions.revision_of(llm_client, 1)
            llm_client.deployed = True
        db.session.commit()
    with counted(planes.admin) as fifty:
        assert len(names(alice.get("/llm-clients/"))) == 50
    statements = [sql for sql in fifty if not sql.startswith(("BEGIN", "PRAGMA"))]
    assert len(fifty) - len(one) <= 1, "another query with another row"
    assert len(statements) - FRAME_QUERIES <= MOST_QUERIES, "\n\n".join(statements)


def test_the_week_counts_visitors_and_not_the_sandbox(
    planes: Planes, people: People, make_client: MakeClient
) -> None:
    make_client("example")
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        for days, mode, answered in ((0, "default", 3), (0, "sandbox", 50), (8, "default", 900)):
            at = utc_now() - timedelta(days=days)
            count(llm_client, at, answered, mode=mode)
    page = people.browser(people.alice).get("/llm-clients/")
    assert page.find("td[data-label='Requests in 7 days']").get_text() == "3"


@pytest.mark.parametrize(
    "query",
    ["owner=%C2%B2", "owner=99999999999999999999", "after=%FF", "status=nonsense", "tag=%27"],
)
def test_strange_filters_are_no_fault_of_ours(
    query: str, people: People, make_client: MakeClient
) -> None:
    make_client()
    people.browser(people.alice).get(f"/llm-clients/?{query}", 200)


def test_nul_in_a_filter_is_refused(people: People) -> None:
    people.browser(people.alice).get("/llm-clients/?q=a%00b", 400)


def test_a_viewer_is_offered_nothing_that_would_be_refused(
    people: People, make_client: MakeClient
) -> None:
    hashed_id = make_client()
    vera = people.browser(people.vera)
    offered: dict[str, str] = {}
    for path in ("/", "/llm-clients/", "/providers/", f"/llm-clients/{hashed_id}/"):
        page = vera.get(path)
        assert not page.html.select("a[href=None]")
        offered |= {str(link["href"]): path for link in page.html.select("a[href^='/']")}
    assert len(offered) > 10
    for address, path in offered.items():
        assert vera.raw("GET", address).status_code == 200, f"{path} offers {address}"
