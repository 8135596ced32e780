"""The main job, from nothing to a conversation in the history, without script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bs4 import BeautifulSoup

from tests.people import People
from tests.planes import Planes


def test_an_admin_creates_tries_deploys_and_closes_a_client(
    planes: Planes, people: People, run_jobs: Callable[..., int]
) -> None:
    browser = people.browser(people.alice)
    assert "Create your first LLM client" in browser.get("/llm-clients/").words

    form = browser.get("/llm-clients/new").values()
    created = browser.post("/llm-clients/new", {**form, "name": "Museum_Guide"})
    client_page = browser.follow(created)
    assert client_page.find("h1").get_text() == "Museum_Guide"
    path = created.location

    sandbox = path.replace("/llm-clients/", "/workbench/llm-clients/")
    page = browser.get(sandbox)
    sent = browser.post(sandbox, {**page.values(), "message": "What is on today?"})
    assert "You asked: “What is on today?”" in browser.follow(sent).words

    browser.post(path + "deploy", {"confirm": "yes"})
    assert run_jobs() == 2, "five steps in one go and a notice"
    ready = browser.get(path)
    assert "Ready" in ready.find(".head-title, #status").get_text(" ") or "Ready" in ready.words
    assert not ready.html.select("[data-poll-url]"), "a finished page asks nothing"

    host = ready.find("code").get_text().strip()
    assert host.startswith("museum-guide.")
    visitor = planes.serving.test_client()
    base = f"http://{host}:{planes.settings.port}"
    chat = visitor.get("/", base_url=base)
    assert chat.status_code == 200
    fields = _fields(chat.get_data(as_text=True))
    asked = visitor.post("/", base_url=base, data={**fields, "message": "Where is the café?"})
    assert asked.status_code == 303
    again = visitor.get("/", base_url=base).get_data(as_text=True)
    assert "Where is the café?" in BeautifulSoup(again, "html5lib").get_text()

    history = browser.get("/requests/")
    assert "Where is the café?" in history.words
    assert "What is on today?" in history.words

    browser.post(path + "undeploy")
    assert visitor.get("/", base_url=base).status_code == 503
    assert run_jobs() == 2, "two steps and a notice"

    assert "Museum_Guide is ready" in browser.get("/notifications/").words

    refused = browser.post(path + "delete", {"confirm_name": "museum"}, expected=422)
    assert "Type Museum_Guide" in refused.words
    browser.post(path + "delete", {"confirm_name": "Museum_Guide"})
    assert run_jobs() == 1, "three steps"
    browser.get(path, expected=404)
    assert "Where is the café?" in browser.get("/requests/").words, "the history stays"


def _fields(html: str) -> dict[str, Any]:
    page = BeautifulSoup(html, "html5lib")
    return {str(field["name"]): field.get("value", "") for field in page.select("input[name]")}
