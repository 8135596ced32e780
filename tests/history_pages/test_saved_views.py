"""Lists under a name: one's own, shared ones, and what a receiver sees through them."""

from __future__ import annotations

from portal.accounts.models import AuditEvent
from portal.database import db
from tests.history_pages.conftest import Telling, listed
from tests.people import Browser, Page, People
from tests.planes import Planes


def shown_views(browser: Browser) -> list[str]:
    page = browser.get("/requests/")
    found = page.html.select("nav[aria-label='Saved views'] a")
    return [link.get_text() for link in found][:-1]


def save(browser: Browser, query: str, name: str, *, shared: bool = False) -> Page:
    page = browser.get(f"/requests/?{query}")
    values = {"query": page.find("input[name=query]")["value"], "name": name}
    return browser.post("/requests/views", values | ({"is_shared": "y"} if shared else {}))


def test_a_view_keeps_filters_and_columns(
    planes: Planes, alice: Browser, museum: str, tell: Telling
) -> None:
    failed = tell(status=502, model="gpt-9")
    tell()
    page = alice.follow(save(alice, "status=failed&range=24h&columns=model&live=1", "  Broken  "))
    assert "The view “Broken” is saved." in page.words
    link = alice.get("/requests/").find("nav[aria-label='Saved views'] a")
    assert "live" not in str(link["href"])
    page = alice.get(str(link["href"]))
    assert listed(page) == [failed]
    assert page.find("nav[aria-label='Saved views'] a[aria-current]").get_text() == "Broken"
    assert "gpt-9" in page.find("table.requests").get_text()
    with planes.worker.app_context():
        events = db.session.scalars(db.select(AuditEvent.action)).all()
    assert "saved_view_created" in events


def test_the_same_name_changes_the_view(alice: Browser, museum: str, tell: Telling) -> None:
    tell()
    save(alice, "status=failed", "Mine")
    save(alice, "status=refused", "Mine")
    assert shown_views(alice) == ["Mine"]
    link = alice.get("/requests/").find("nav[aria-label='Saved views'] a")
    assert "status=refused" in str(link["href"])


def test_only_shared_views_are_seen_by_others(
    people: People, alice: Browser, museum: str, tell: Telling
) -> None:
    tell()
    save(alice, "status=failed", "Own")
    save(alice, "status=refused", "Everybody’s", shared=True)
    assert shown_views(alice) == ["Everybody’s", "Own"]
    assert shown_views(people.browser(people.bob)) == ["Everybody’s"]
    assert shown_views(people.browser(people.vera)) == ["Everybody’s"]
    assert not people.browser(people.charlie).get("/requests/views").html.select(".rows li")


def test_a_views_address_shows_a_stranger_nothing(
    people: People, alice: Browser, museum: str, tell: Telling
) -> None:
    tell("hidden words", status=502)
    save(alice, f"client={museum}", "Client", shared=True)
    save(alice, "status=failed&q=hidden", "Search", shared=True)
    links = alice.get("/requests/").html.select("nav[aria-label='Saved views'] a")[:-1]
    client, search = (str(link["href"]) for link in links)
    stranger = people.browser(people.charlie)
    stranger.get(client, 404)
    assert listed(stranger.get(search)) == []
    assert len(listed(people.browser(people.vera).get(search))) == 1


def test_views_are_renamed_and_deleted_by_who_may(
    people: People, museum: str, tell: Telling
) -> None:
    tell()
    bob, alice = people.browser(people.bob), people.browser(people.alice)
    save(bob, "status=failed", "Bob’s")
    form = str(bob.get("/requests/views").find(".rows form")["action"])
    alice.post(form, {"name": "Alice’s"}, 404)
    assert bob.follow(bob.post(form, {"name": ""})).find(".notice").get_text()
    bob.post(form, {"name": "Renamed", "is_shared": "y"})
    assert shown_views(alice) == ["Renamed"]
    vera = people.browser(people.vera)
    vera.post(f"{form}/delete", {}, 403)
    assert not vera.get("/requests/views").html.select(".rows form")
    alice.post(f"{form}/delete", {})
    assert shown_views(bob) == []


def test_strange_queries_and_names_are_no_fault(alice: Browser, museum: str) -> None:
    for query in ("", "&&&=%ff", "status=bogus&from=x", "a=" + "b" * 9_000, "columns=%00"):
        alice.post("/requests/views", {"query": query, "name": "x"})
    for name in ("", "   ", "x" * 101, "a\u200fb\x07"):
        page = alice.post("/requests/views", {"query": "status=failed", "name": name})
        assert "needs a name" in alice.follow(page).words
