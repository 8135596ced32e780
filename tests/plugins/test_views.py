"""Plugins on the pages: added, tested, changed, deleted; secrets sealed; nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from portal.accounts.models import AuditEvent
from portal.database import db, utc_now
from portal.job_queue import claim
from portal.plugins import finding, jobs, testing
from portal.plugins.models import Plugin, PluginTest
from tests.answering import AnsweringServer
from tests.people import Browser, MakeClient, People
from tests.planes import Planes

TOKEN = "Bearer tok-0123456789-abcdef"
RunJobs = Callable[..., int]
STATIC = {"name": "Hours", "selector": "always", "data": '{"open": "9 to 17", "closed": "Monday"}'}


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def row(index: int, name: str, **others: str) -> dict[str, str]:
    """The fields of one parameter."""
    values = {"name": name, "type": "string", "where": "query", "description": "", **others}
    return {f"parameters-{index}-{key}": value for key, value in values.items()}


def api_values(url: str, **others: str) -> dict[str, str]:
    values = {"name": "Prices", "selector": "llm", "method": "GET", "url": url, "headers": ""}
    values |= {"secret_header": "Authorization", "secret": TOKEN}
    return {**values, **row(0, "id", where="path"), **row(1, "note"), **others}


def own(planes: Planes, name: str) -> Plugin | None:
    with planes.worker.app_context():
        return db.session.scalars(db.select(Plugin).filter_by(name=name)).one_or_none()


def test_the_empty_list_teaches_and_leads_to_the_kinds(alice: Browser, people: People) -> None:
    page = alice.get("/plugins/")
    assert "Give your clients something to know" in page.words
    kinds = alice.get(str(page.find(".empty-state a")["href"]))
    assert len(kinds.html.select(".rows a")) == 3
    for link in kinds.html.select(".rows a"):
        alice.get(str(link["href"]))
    assert "Ask an admin" in people.browser(people.bob).get("/plugins/").words


def test_static_data_is_added_tested_and_listed(
    alice: Browser, planes: Planes, run_jobs: RunJobs
) -> None:
    page = alice.follow(alice.post("/plugins/new/static", STATIC))
    assert "Hours is added." in page.words
    assert json.loads(page.values()["data"]) == {"open": "9 to 17", "closed": "Monday"}
    path = f"/plugins/{own(planes, 'Hours').id}"
    alice.post(f"{path}/test", {"value_key": "open"})
    waiting = alice.get(f"{path}/")
    assert waiting.find("#status")["data-poll-url"] == f"{path}/status"
    run_jobs()
    done = alice.get(f"{path}/status")
    assert done.find("pre.test-result").get_text() == '"9 to 17"'
    assert not done.find("#status").has_attr("data-poll-url"), "a finished test asks nothing"
    assert alice.get(f"{path}/").find("#value_key")["value"] == "open"
    assert "Works" in alice.get("/plugins/").words


def test_an_interface_is_asked_with_its_secret_which_no_page_shows(
    alice: Browser, planes: Planes, run_jobs: RunJobs, server: AnsweringServer
) -> None:
    server.respond = lambda asked: (200, "application/json", json.dumps(asked.headers))
    page = alice.follow(alice.post("/plugins/new/api", api_values(f"{server.url}/items/{{id}}")))
    assert TOKEN not in page.text
    assert "The value of that header is stored." in page.words
    plugin = own(planes, "Prices")
    path = f"/plugins/{plugin.id}"
    refused = alice.post(f"{path}/test", {"value_note": "typed"}, expected=422)
    assert "id is missing." in refused.words
    assert refused.find("#value_note")["value"] == "typed"
    alice.post(f"{path}/test", {"value_id": "a/b"})
    run_jobs()
    told = alice.get(f"{path}/")
    assert '"Authorization": "[secret]"' in told.find("pre").get_text()
    assert TOKEN not in told.text
    assert server.asked[0].path == "/items/a%2Fb"
    assert server.asked[0].headers["Authorization"] == TOKEN
    with planes.worker.app_context():
        for table in db.metadata.sorted_tables:
            assert "tok-0123" not in str(db.session.execute(db.select(table)).all()), table.name


def test_a_database_is_read(
    alice: Browser, planes: Planes, run_jobs: RunJobs, cellar: Path
) -> None:
    values = {
        "name": "Wines",
        "selector": "llm",
        "url": f"sqlite:///{str(cellar).replace(' ', '%20')}",
        "statement": "SELECT name FROM wines WHERE year > :year",
        **row(0, "year", type="number"),
    }
    alice.post("/plugins/new/sql", values)
    path = f"/plugins/{own(planes, 'Wines').id}"
    alice.post(f"{path}/test", {"value_year": "2021"})
    run_jobs()
    assert alice.get(f"{path}/").find("pre").get_text() == '{"name": "Gutedel"}'
    kept = alice.get(f"{path}/").values()
    assert kept["parameters-0-name"] == "year"
    alice.post(f"{path}/", {**kept, "statement": "SELECT nonsense FROM wines WHERE :year"})
    alice.post(f"{path}/test", {"value_year": "2021"})
    run_jobs()
    assert "no such column: nonsense" in alice.get(f"{path}/").words
    assert "Does not work" in alice.get("/plugins/").words


def test_a_secret_stays_goes_and_does_not_follow_to_another_host(
    alice: Browser, planes: Planes
) -> None:
    def opened() -> str:
        with planes.worker.app_context():
            found = db.session.scalars(db.select(Plugin).filter_by(name="Prices")).one()
            return finding.secret_of(found)

    values = api_values("http://127.0.0.1:9/{id}")
    alice.post("/plugins/new/api", values)
    path, without = f"/plugins/{own(planes, 'Prices').id}/", {**values, "secret": ""}
    alice.post(path, {**without, "url": "http://127.0.0.1:9/other/{id}"})
    assert opened() == TOKEN
    moved = {**without, "url": "http://127.0.0.2:9/{id}"}
    page = alice.post(path, moved, expected=422)
    assert "Enter it again" in page.find("#secret-error").get_text()
    alice.post(path, {**moved, "secret": "Bearer another"})
    assert opened() == "Bearer another"
    alice.post(path, {**moved, "removes_secret": "y"})
    assert opened() == ""


@pytest.mark.parametrize(
    ("kind", "changed", "field"),
    [
        ("static", {"name": ""}, "name"),
        ("static", {"name": "x" * 101}, "name"),
        ("static", {"name": "a\x00b"}, "name"),
        ("static", {"data": ""}, "data"),
        ("static", {"data": "5"}, "data"),
        ("static", {"data": '{"a": 1, "a": 2}'}, "data"),
        ("static", {"data": '{"a": NaN}'}, "data"),
        ("static", {"data": '{"a": 1e999}'}, "data"),
        ("static", {"data": '{"a": "\\u0000"}'}, "data"),
        ("static", {"data": "[" * 50_000}, "data"),
        ("static", {"data": "[" * 30 + "]" * 30}, "data"),
        ("static", {"data": '["' + "x" * 65_536 + '"]'}, "data"),
        ("static", {"data": "[" + "9" * 5_000 + "]"}, "data"),
        ("static", {"selector": "never"}, "selector"),
        ("static", {"selector": "search_terms"}, "search_terms"),
        ("static", {"search_terms": "\n".join(map(str, range(51)))}, "search_terms"),
        ("static", {"search_terms": "x" * 61}, "search_terms"),
        ("api", {"url": ""}, "url"),
        ("api", {"url": "ftp://example.com/{id}"}, "url"),
        ("api", {"url": "http://{id}.example.com/"}, "url"),
        ("api", {"url": "http://example.com{id}/"}, "url"),
        ("api", {"url": "http://example.com/{id"}, "url"),
        ("api", {"url": "http://example.com/{id} x"}, "url"),
        ("api", {"url": "http://user:password@example.com/{id}"}, "url"),
        ("api", {"url": "http://example.com/{other}"}, "parameters"),
        ("api", {"url": "http://example.com/"}, "parameters"),
        ("api", row(1, "9lives"), "parameters"),
        ("api", row(1, "id"), "parameters"),
        ("api", row(1, "x", type="date"), "parameters"),
        ("api", row(1, "x", description="y" * 301), "parameters"),
        ("api", {"method": "DELETE"}, "method"),
        ("api", {"headers": "Host: internal"}, "headers"),
        ("api", {"headers": "no colon"}, "headers"),
        ("api", {"headers": "X: a\x00b"}, "headers"),
        ("api", {"secret_header": "Content-Length"}, "secret_header"),
        ("api", {"secret_header": "X Y"}, "secret_header"),
        ("api", {"secret_header": ""}, "secret_header"),
        ("api", {"secret": "line\nbreak"}, "secret"),
        ("sql", {"url": "postgresql://u:pw@h/d"}, "url"),
        ("sql", {"url": "mysql://u@h/d"}, "url"),
        ("sql", {"statement": "DELETE FROM t"}, "statement"),
        ("sql", {"statement": "SELECT 1; SELECT 2"}, "statement"),
        ("sql", {"statement": "SELECT :absent"}, "parameters"),
        ("sql", row(0, "unused"), "parameters"),
    ],
)
def test_bad_input_is_told_beside_its_field(
    kind: str, changed: dict[str, str], field: str, planes: Planes, alice: Browser
) -> None:
    base = {
        "static": STATIC,
        "api": api_values("http://127.0.0.1:9/{id}"),
        "sql": {
            "name": "Wines",
            "selector": "llm",
            "url": "postgresql://u@127.0.0.1/d",
            "statement": "SELECT 1",
        },
    }[kind]
    page = alice.post(f"/plugins/new/{kind}", {**base, **changed}, expected=422)
    assert len(page.find(f"#{field}-error").get_text()) > 15
    assert page.find(f"section[role=alert] a[href='#{field}']")
    assert TOKEN not in page.text
    with planes.worker.app_context():
        assert db.session.scalars(db.select(Plugin)).all() == []


def test_a_name_is_used_once_in_an_account(alice: Browser, people: People) -> None:
    alice.post("/plugins/new/static", STATIC)
    page = alice.post("/plugins/new/static", STATIC, expected=422)
    assert "has a plugin of this name" in page.find("#name-error").get_text()
    people.browser(people.charlie).post("/plugins/new/static", STATIC)
    other = alice.follow(alice.post("/plugins/new/static", {**STATIC, "name": "Other"}))
    taken = alice.post(
        str(other.find("main form")["action"]), {**STATIC, "name": "Hours"}, expected=422
    )
    assert "has a plugin of this name" in taken.find("#name-error").get_text()


def test_the_portals_own_files_are_not_read(alice: Browser, planes: Planes) -> None:
    own_file = planes.settings.data_dir / "portal.sqlite3"
    values = {"name": "X", "selector": "llm", "statement": "SELECT 1"}
    page = alice.post("/plugins/new/sql", {**values, "url": f"sqlite:///{own_file}"}, expected=422)
    assert "own files" in page.find("#url-error").get_text()


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("api", "http://example.com/{id}"),
        ("api", "https://127.0.0.1:5432/{id}"),
        ("sql", "sqlite:////etc/passwd"),
    ],
)
def test_outside_the_local_environment_only_the_public_internet(
    kind: str, url: str, planes: Planes, alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = replace(planes.settings, allow_private_addresses=False)
    monkeypatch.setitem(planes.admin.extensions, "portal_settings", public)
    values = {**api_values(url), "statement": "SELECT 1"}
    page = alice.post(f"/plugins/new/{kind}", values, expected=422)
    assert page.find("#url-error")


def test_only_an_admin_changes_plugins(people: People, alice: Browser, planes: Planes) -> None:
    alice.post("/plugins/new/static", STATIC)
    path = f"/plugins/{own(planes, 'Hours').id}"
    for person, status in ((people.bob, 403), (people.vera, 403), (people.charlie, 404)):
        browser = people.browser(person)
        browser.get(f"{path}/", status)
        for action in ("/", "/test", "/delete"):
            browser.post(path + action, STATIC, expected=status)
    assert "Hours" in people.browser(people.vera).get("/plugins/").words


def test_deleting_names_the_clients_and_takes_the_test_along(
    alice: Browser, planes: Planes, make_client: MakeClient
) -> None:
    alice.post("/plugins/new/static", STATIC)
    plugin_id = own(planes, "Hours").id
    client = make_client("cellar_guide")
    alice.post(f"/llm-clients/{client}/plugins/{plugin_id}/attach")
    alice.post(f"/plugins/{plugin_id}/test")
    page = alice.get(f"/plugins/{plugin_id}/delete")
    assert "1 LLM client goes on without it" in page.words
    assert page.find(f".consequence a[href='/llm-clients/{client}/']").get_text() == "cellar_guide"
    alice.post(f"/plugins/{plugin_id}/delete")
    with planes.worker.app_context():
        assert db.session.scalars(db.select(PluginTest)).all() == []
        actions = list(db.session.scalars(db.select(AuditEvent.action)))
    for action in ("plugin_created", "plugins_changed", "plugin_tested", "plugin_deleted"):
        assert action in actions
    assert "No plugin is attached" in alice.get(f"/llm-clients/{client}/plugins").words


def test_a_test_whose_worker_died_ends(alice: Browser, planes: Planes) -> None:
    alice.post("/plugins/new/static", STATIC)
    path = f"/plugins/{own(planes, 'Hours').id}"
    alice.post(f"{path}/test")
    with planes.worker.app_context():
        test = db.session.scalars(db.select(PluginTest)).one()
        for _ in range(testing.MOST_BROKEN_OFF + 1):
            assert claim(PluginTest, test.id, utc_now()) is not None
            test = db.session.get(PluginTest, test.id, populate_existing=True)
            test.leased_until = None
            db.session.commit()
        jobs.call_plugin(test.id)
    assert "broke off" in alice.get(f"{path}/").words
