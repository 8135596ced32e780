"""A whole journey: a function and plugins, attached on the pages, called by a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.plugins.models import Plugin
from portal.providers.models import Provider
from portal.request_history.models import LLMClientRequests
from tests.answering import JSON, AnsweringServer, Asked
from tests.people import MakeClient, People
from tests.planes import Planes

CALLS = [
    {"id": "1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    for name, arguments in (
        ("calculator", {"expression": "6*7"}),
        ("plugin_Stock", {"id": "a/b"}),
        ("plugin_Stock", {}),
    )
]


def completion(message: dict[str, Any], finish: str) -> tuple[int, str, str]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return 200, JSON, json.dumps({"model": "m", "choices": [choice], "usage": {}})


class Model:
    """Calls three tools at once, then answers with what it was told; `told` is each request."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def respond(self, asked: Asked) -> tuple[int, str, str]:
        if asked.path.startswith("/stock"):
            return 200, JSON, json.dumps({"path": asked.path, "left": 3})
        self.told.append(json.loads(asked.body))
        results = [m["content"] for m in self.told[-1]["messages"] if m["role"] == "tool"]
        if results:
            return completion({"content": " / ".join(results)}, "stop")
        return completion({"content": None, "tool_calls": CALLS}, "tool_calls")


@pytest.fixture
def row(planes: Planes) -> Callable[[], LLMClientRequests]:
    def find() -> LLMClientRequests:
        with planes.worker.app_context():
            return db.session.scalars(db.select(LLMClientRequests)).one()

    return find


def test_a_model_knows_looks_up_and_calculates(
    planes: Planes,
    people: People,
    make_client: MakeClient,
    stored: Callable[[str], LLMClient],
    row: Callable[[], LLMClientRequests],
) -> None:
    alice, model = people.browser(people.alice), Model()
    with AnsweringServer() as server:
        server.respond = model.respond
        with planes.worker.app_context():
            account_id = people.alice.account_id
            provider = Provider(account_id=account_id, name="vendor", base_url=f"{server.url}/v1")
            parameters = [{"name": "id", "required": True, "where": "path"}]
            url = f"{server.url}/stock/{{id}}"
            stock = Plugin(
                account_id=account_id,
                name="Stock",
                kind=Plugin.Kinds.API,
                selector=Plugin.Selectors.LLM,
                content={"method": "GET", "url": url, "parameters": parameters},
            )
            hours = Plugin(
                account_id=account_id,
                name="Hours",
                kind=Plugin.Kinds.STATIC,
                content={"data": {"open": "9 to 17"}},
            )
            db.session.add_all([provider, stock, hours])
            db.session.commit()
            numbers = [stock.id, hours.id]
        client = make_client("shop", provider="vendor")
        values = alice.get(f"/llm-clients/{client}/edit").values("main form.card")
        alice.post(f"/llm-clients/{client}/edit", {**values, "functions": "calculator"})
        for number in numbers:
            alice.post(f"/llm-clients/{client}/plugins/{number}/attach")
        alice.follow(alice.post(f"/workbench/llm-clients/{client}/", {"message": "How many?"}))
    answer = (row().response or {})["text"]
    assert answer == '6*7 = 42 / {"path": "/stock/a%2Fb", "left": 3} / id is missing.'
    system = model.told[0]["messages"][0]["content"]
    assert system.endswith('From “Hours”:\n{"open":"9 to 17"}')
    offered = [tool["function"]["name"] for tool in model.told[0]["tools"]]
    assert offered == ["calculator", "plugin_Stock"]
    called = (row().response or {})["tools_called"]
    assert [(entry["name"], entry["source"], entry["is_error"]) for entry in called] == [
        ("Hours", "plugin", False),
        ("calculator", "function", False),
        ("Stock", "plugin", False),
        ("Stock", "plugin", True),
    ]
