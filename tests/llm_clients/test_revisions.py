"""Revisions: made by saving, listed, compared, brought back, published."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.database import db
from portal.llm_clients import revisions
from portal.llm_clients.models import LLMClient, LLMClientPlugin
from portal.plugins.models import Plugin
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


@pytest.fixture
def path(make_client: MakeClient) -> str:
    return f"/llm-clients/{make_client('example', app_name='First')}/"


def save(browser: Browser, path: str, **changes: str) -> Page:
    values = browser.get(path + "edit").values("main form.card")
    return browser.post(path + "edit", {**values, **changes})


def stored_names(planes: Planes) -> list[str]:
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        found = sorted(llm_client.revisions, key=lambda revision: revision.number)
        return [revision.content["app_name"] for revision in found]


def test_each_save_is_listed_with_what_changed_by_whom_and_why(alice: Browser, path: str) -> None:
    save(alice, path, app_name="Second", default_temperature="0", note="Calmer")
    rows = alice.get(path + "revisions").html.select("tbody tr")
    assert len(rows) == 2
    newest = " ".join(rows[0].get_text(" ").split())
    assert "Revision 2" in newest
    assert "Newest" in newest
    assert "Calmer" in newest
    assert "Temperature, Title" in newest
    assert "by alice" in newest
    assert "The first one" in rows[1].get_text()


def test_comparing_shows_the_lines_that_differ(alice: Browser, path: str) -> None:
    save(alice, path, default_system_role="You help.\nYou are kind.")
    save(alice, path, app_name="Third")
    page = alice.get(path + "revisions/2")
    assert [h.get_text() for h in page.html.select("ul.rows h3")] == ["System role"]
    assert "You are kind." in page.find("li.is-added").get_text()
    against_first = alice.get(path + "revisions/3?against=1")
    assert "Compared with revision 1" in against_first.words
    found = [h.get_text() for h in against_first.html.select("ul.rows h3")]
    assert found == ["System role", "Title"]
    assert "Nothing differs." in alice.get(path + "revisions/3?against=3").words


@pytest.mark.parametrize(
    "query", ["?against=0", "?against=-1", "?against=x", "?against=" + "9" * 30]
)
def test_a_strange_comparison_is_no_fault(query: str, alice: Browser, path: str) -> None:
    alice.get(path + "revisions/1" + query, 200)


@pytest.mark.parametrize("number", ["0", "2", "99999999999"])
def test_a_revision_that_is_not_there_is_404(number: str, alice: Browser, path: str) -> None:
    alice.get(path + "revisions/" + number, 404)
    alice.post(path + f"revisions/{number}/restore", expected=404)


def test_restoring_copies_forward_and_loses_nothing(
    planes: Planes, alice: Browser, path: str
) -> None:
    save(alice, path, app_name="Second")
    page = alice.follow(alice.post(path + "revisions/1/restore"))
    assert "Revision 1 is restored as revision 3." in page.words
    assert stored_names(planes) == ["First", "Second", "First"]
    page = alice.follow(alice.post(path + "revisions/1/restore"))
    assert "Revision 1 is what you have already." in page.words
    assert len(stored_names(planes)) == 3


def test_nothing_changed_is_no_revision(planes: Planes, alice: Browser, path: str) -> None:
    save(alice, path)
    save(alice, path, note="Only a note")
    assert stored_names(planes) == ["First"]


def test_saving_at_the_same_moment_makes_revisions_one_after_another(
    planes: Planes, people: People, path: str
) -> None:
    browsers = [people.browser(people.alice) for _ in range(4)]
    forms = [browser.get(path + "edit").values("main form.card") for browser in browsers]

    def store(number: int) -> Page:
        return browsers[number].post(path + "edit", {**forms[number], "app_name": f"T{number}"})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store, range(4)))
    assert sorted(stored_names(planes)) == ["First", "T0", "T1", "T2", "T3"]
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        assert llm_client.newest_revision_number == 5
        assert llm_client.app_name == stored_names(planes)[-1]


def test_visitors_get_a_revision_when_it_is_published(
    planes: Planes, alice: Browser, path: str, run_jobs: Callable[..., int]
) -> None:
    alice.post(path + "publish", expected=404)
    alice.post(path + "deploy", {"confirm": "yes"})
    run_jobs()
    page = alice.follow(save(alice, path, app_name="Second"))
    assert "Visitors get it when you publish it." in page.words
    assert "Revision 2 is not published" in page.words
    assert visitors_title(planes, alice, path) == "First"
    page = alice.follow(alice.post(path + "publish"))
    assert "Visitors get revision 2 now." in page.words
    assert visitors_title(planes, alice, path) == "Second"
    published = alice.get(path + "revisions").html.select("tbody tr:has(.state-ready) a.num")
    assert [link.get_text() for link in published] == ["Revision 2"]


def visitors_title(planes: Planes, browser: Browser, path: str) -> str:
    host = browser.get(path).find("code").get_text().strip()
    base = f"http://{host}:{planes.settings.port}"
    page = Page(planes.serving.test_client().get("/", base_url=base))
    return page.find("h1").get_text()


def test_the_form_always_tells_the_number_to_come(alice: Browser, path: str) -> None:
    assert "Save as revision 2" in alice.get(path + "edit").words
    save(alice, path, app_name="Second")
    assert "Save as revision 3" in alice.get(path + "edit").words


def test_many_revisions_are_paged(planes: Planes, alice: Browser, path: str) -> None:
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        for number in range(2, 71):
            llm_client.app_name = f"Title {number}"
            revisions.take(llm_client, None)
            db.session.flush()
        db.session.commit()
    page, seen = alice.get(path + "revisions"), []
    while True:
        seen += [link.get_text() for link in page.html.select("tbody a.num")]
        older = page.html.select_one("a[rel=next]")
        if older is None:
            break
        page = alice.get(str(older["href"]))
    assert seen == [f"Revision {number}" for number in range(70, 0, -1)]


def test_plugins_come_back_with_a_revision_and_stay_away_when_gone(
    planes: Planes, alice: Browser, path: str
) -> None:
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        plugins = [
            Plugin(account_id=llm_client.account_id, name=name, kind="static") for name in "ab"
        ]
        db.session.add_all(plugins)
        db.session.flush()
        llm_client.llmclientplugin_set = [
            LLMClientPlugin(plugin_id=plugin.id, position=number)
            for number, plugin in enumerate(plugins)
        ]
        db.session.flush()
        revisions.take(llm_client, None)
        db.session.commit()
        gone = plugins[0].id
    save(alice, path, app_name="Third")
    alice.post(path + "revisions/2/restore")
    with planes.worker.app_context():
        db.session.delete(db.session.get(Plugin, gone))
        db.session.commit()
    save(alice, path, app_name="Fifth")
    alice.post(path + "revisions/2/restore")
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        assert [entry.plugin.name for entry in llm_client.llmclientplugin_set] == ["b"]
