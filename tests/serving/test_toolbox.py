"""What a model gets for a question: tools it may call, texts it is told, and never an exception."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from portal.caching import cache
from portal.database import db
from portal.errors import PortalError
from portal.functions import Answer
from portal.llm_clients import revisions
from portal.llm_clients.models import LLMClient, LLMClientPlugin
from portal.plugins import finding
from portal.plugins.calling import ServedPlugin
from portal.plugins.models import Plugin
from portal.serving import served
from portal.serving.toolbox import Toolbox, toolbox_of
from portal.serving.tools import LONGEST_TEXT, Tool
from tests.answering import AnsweringServer
from tests.people import MakeClient, People
from tests.planes import Planes

NOW = datetime(2026, 11, 27, 16, 5, tzinfo=UTC)
HOURS = {"data": {"open": "9 to 17", "closed": "Monday"}}
Add = Callable[..., int]


@pytest.fixture
def add(planes: Planes, people: People) -> Add:
    """A plugin of Alice's account, or of another one; its number."""

    def make(name: str = "Hours", kind: str = "static", **columns: Any) -> int:
        secret = columns.pop("secret", "")
        values = {"account_id": people.alice.account_id, "content": HOURS, **columns}
        with planes.worker.app_context():
            plugin = Plugin(name=name, kind=Plugin.Kinds(kind), **values)
            db.session.add(plugin)
            db.session.flush()
            if secret:
                finding.set_secret(plugin, secret)
            db.session.commit()
            return plugin.id

    return make


@pytest.fixture
def sandbox(
    planes: Planes, make_client: MakeClient, stored: Callable[[str], LLMClient]
) -> Callable[..., served.Served]:
    """What is served of a client with these plugins and functions, newest revision."""

    def make(*plugin_ids: int, functions: tuple[str, ...] = ()) -> served.Served:
        llm_client = stored(make_client("guide"))
        revisions.set_functions(llm_client, list(functions))
        for position, plugin_id in enumerate(plugin_ids):
            llm_client.llmclientplugin_set.append(
                LLMClientPlugin(plugin_id=plugin_id, position=position)
            )
        db.session.flush()
        revisions.take(llm_client, None)
        db.session.commit()
        return served.for_sandbox(llm_client)

    return make


Sandbox = Callable[..., served.Served]


def test_functions_are_offered_and_called(sandbox: Sandbox) -> None:
    box = toolbox_of(sandbox(functions=("calculator", "date_calculator")), "Hi", NOW)
    assert [spec["function"]["name"] for spec in box.specs] == ["calculator", "date_calculator"]
    assert box.offers("calculator")
    assert not box.offers("get_current_weather")
    outcome = box.call("calculator", '{"expression": "6*7"}', NOW)
    assert (outcome.text, outcome.is_error) == ("6*7 = 42", False)
    assert (outcome.label, outcome.source) == ("calculator", "function")
    assert outcome.milliseconds >= 0


def test_today_is_that_of_the_account(sandbox: Sandbox) -> None:
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # already the new year in Berlin
    box = toolbox_of(sandbox(functions=("date_calculator",)), "", late)
    outcome = box.call("date_calculator", '{"action": "today"}', late)
    assert outcome.text == "Today is Friday, 2027-01-01."


@pytest.mark.parametrize(
    "arguments", ["", "[]", "5", "{", '{"a": NaN}', "[" * 30_000, "{" + " " * 40_000 + "}"]
)
def test_whatever_the_model_writes_is_answered_with_a_sentence(
    arguments: str, sandbox: Sandbox
) -> None:
    outcome = toolbox_of(sandbox(functions=("calculator",)), "", NOW).call(
        "calculator", arguments, NOW
    )
    assert outcome.is_error
    assert outcome.text.endswith(".")


def test_a_tool_that_is_not_there_is_a_sentence() -> None:
    outcome = Toolbox().call("rm_rf\x00" * 50, "{}", NOW)
    assert outcome.is_error
    assert "no tool named rm_rf" in outcome.text
    assert len(outcome.label) <= 64


@pytest.mark.parametrize("error", [PortalError("Not today."), ZeroDivisionError("secret words")])
def test_a_tool_that_breaks_is_a_sentence(error: Exception) -> None:
    def run(arguments: dict[str, Any], now: datetime) -> Answer:
        raise error

    outcome = Toolbox([Tool("t", "t", "function", "", {}, run)]).call("t", "", NOW)
    assert outcome.is_error
    assert "secret words" not in outcome.text


def test_a_long_result_is_cut_and_says_so() -> None:
    tool = Tool("t", "t", "function", "", {}, lambda arguments, now: Answer("x\x00" * 40_000))
    text = Toolbox([tool]).call("t", "{}", NOW).text
    assert len(text) == LONGEST_TEXT
    assert text.endswith("[The rest is left out.]")


def test_a_client_without_anything_asks_the_database_nothing(sandbox: Sandbox) -> None:
    current = sandbox()
    asked: list[str] = []

    def note(*call: Any) -> None:
        asked.append(call[2])

    event.listen(db.engine, "before_cursor_execute", note)
    box = toolbox_of(current, "What is open?", NOW)
    event.remove(db.engine, "before_cursor_execute", note)
    assert (box.specs, box.context, box.used, asked) == ((), (), (), [])


def test_static_data_is_told_always_or_by_a_word_or_asked_for(sandbox: Sandbox, add: Add) -> None:
    current = sandbox(
        add("Hours", description="When we are open."),
        add("Wines", selector=Plugin.Selectors.SEARCH_TERMS, search_terms=["red wine", "Rotwein"]),
        add("Map", selector=Plugin.Selectors.LLM),
    )
    box = toolbox_of(current, "Any RED\n wine?", NOW)
    assert box.context[0].startswith("From “Hours” (When we are open.):\n{")
    assert [entry["name"] for entry in box.used] == ["Hours", "Wines"]
    assert box.used[0] == {
        "name": "Hours",
        "source": "plugin",
        "is_error": False,
        "milliseconds": box.used[0]["milliseconds"],
    }
    assert [spec["function"]["name"] for spec in box.specs] == ["plugin_Map"]
    assert box.call("plugin_Map", '{"key": "open"}', NOW).text == '"9 to 17"'
    assert json.loads(box.call("plugin_Map", "{}", NOW).text) == HOURS["data"]
    assert "There are: open, closed" in box.call("plugin_Map", '{"key": "x"}', NOW).text
    other = toolbox_of(current, "Any redwine or Rotweine?", NOW)
    assert [entry["name"] for entry in other.used] == ["Hours"]


def test_an_interface_is_asked_beforehand_unless_it_needs_values(
    sandbox: Sandbox, add: Add
) -> None:
    with AnsweringServer() as server:
        server.answers({"price": 12})
        free = {"method": "GET", "url": f"{server.url}/all", "parameters": []}
        parameter = {"name": "id", "required": True, "where": "path"}
        asking = {**free, "url": f"{server.url}/{{id}}", "parameters": [parameter]}
        current = sandbox(add("All", "api", content=free), add("One", "api", content=asking))
        box = toolbox_of(current, "How much?", NOW)
        assert box.context == ('From “All”:\n{"price": 12}',)
        assert [spec["function"]["name"] for spec in box.specs] == ["plugin_One"]
        assert box.specs[0]["function"]["parameters"]["required"] == ["id"]
        assert box.call("plugin_One", '{"id": 7}', NOW).text == '{"price": 12}'
        assert [asked.path for asked in server.asked] == ["/all", "/7"]
        server.answers("no", 500)
        late = toolbox_of(current, "How much?", NOW)
        assert late.used[0]["is_error"]
        assert late.context == ()
        assert late.offers("plugin_All"), "the model may try again"


def test_only_so_much_is_told_beforehand(sandbox: Sandbox, add: Add) -> None:
    large = {"data": ["x" * 60_000]}
    box = toolbox_of(sandbox(*(add(f"Large {n}", content=large) for n in range(5))), "", NOW)
    assert sum(map(len, box.context)) < 200_000
    assert [spec["function"]["name"] for spec in box.specs] == ["plugin_Large_3", "plugin_Large_4"]


def test_names_of_tools_are_valid_and_different(sandbox: Sandbox, add: Add) -> None:
    names = [
        "Öffnungs zeiten!",
        "Öffnungs-zeiten",
        "Öffnungs zeiten?",
        "営業時間",
        "休日",
        "x" * 100,
    ]
    current = sandbox(*(add(name, selector=Plugin.Selectors.LLM) for name in names))
    found = [spec["function"]["name"] for spec in toolbox_of(current, "", NOW).specs]
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"plugin[A-Za-z0-9_-]{0,58}", name) for name in found)


def test_only_ones_own_plugins_are_served_and_only_those_of_the_revision(
    sandbox: Sandbox, add: Add, people: People, planes: Planes
) -> None:
    foreign = add("Foreign", account_id=people.charlie.account_id)
    own = add("Own")
    current = sandbox(own, foreign)
    assert [plugin.name for plugin in current.plugins] == ["Own"]
    llm_client = db.session.get(LLMClient, current.client_id)
    assert served.of_client(llm_client, "h", current.mode, is_open=True).plugins == ()
    llm_client.published_revision = revisions.revision_of(llm_client, 2)
    assert [
        plugin.id
        for plugin in served.of_client(llm_client, "h", current.mode, is_open=True).plugins
    ] == [own]


def test_a_secret_is_opened_for_its_own_plugin_only(
    sandbox: Sandbox, add: Add, planes: Planes
) -> None:
    first, second = add("First", secret="tok-first-123"), add("Second", secret="tok-second-123")
    current = sandbox(first, second)
    assert [plugin.secret for plugin in current.plugins] == ["tok-first-123", "tok-second-123"]
    assert "tok-" not in repr(current)
    one, two = (db.session.get(Plugin, number) for number in (first, second))
    one.sealed_secret = two.sealed_secret
    db.session.flush()
    swapped = finding.served(one)
    assert swapped.secret == ""
    box = toolbox_of(replace(current, plugins=(swapped,)), "", NOW)
    assert box.used[0]["is_error"]


def test_a_changed_plugin_is_served_at_once(
    planes: Planes, people: People, add: Add, sandbox: Sandbox
) -> None:
    plugin_id = add("Hours")
    hashed_id = sandbox(plugin_id).hashed_id
    llm_client = db.session.scalars(db.select(LLMClient).filter_by(hashed_id=hashed_id)).one()
    llm_client.published_revision = revisions.revision_of(llm_client, 2)
    db.session.commit()
    cache().forget()
    found = served.by_public_id(hashed_id)
    assert found is not None
    assert found.plugins[0].content == HOURS
    db.session.rollback()
    values = {"name": "Hours", "selector": "llm", "data": "[1]"}
    people.browser(people.alice).post(f"/plugins/{plugin_id}/", values)
    db.session.rollback()
    db.session.expire_all()
    again = served.by_public_id(hashed_id)
    assert again is not None
    assert isinstance(again.plugins[0], ServedPlugin)
    assert again.plugins[0].content == {"data": [1]}
