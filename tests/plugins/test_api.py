"""The kind api against a real server: what is sent, what is encoded, what is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from portal.plugins import api
from portal.plugins.models import Plugin
from portal.plugins.parameters import PluginError
from tests.answering import AnsweringServer
from tests.plugins.conftest import plugin

pytestmark = pytest.mark.engine_independent
TOKEN = "Bearer tok-0123456789"


def content(server: AnsweringServer, path: str = "/items/{id}", **others: Any) -> dict[str, Any]:
    parameters = [
        {"name": "id", "required": True, "where": "path"},
        {"name": "q", "where": "query"},
        {"name": "many", "type": "number", "where": "query"},
        {"name": "fresh", "type": "boolean", "where": "query"},
        {"name": "note", "where": "body"},
    ]
    return {"method": "GET", "url": server.url + path, "parameters": parameters, **others}


def called(server: AnsweringServer, arguments: dict[str, Any], **others: Any) -> str:
    found = plugin(Plugin.Kinds.API, content(server, **others), TOKEN)
    return found.call(arguments, allow_private=True)


def test_values_are_encoded_where_they_stand(server: AnsweringServer) -> None:
    server.answers({"price": 12.5})
    arguments = {"id": "a/../b?x=1#y", "q": "größe & farbe", "many": "3", "fresh": "true"}
    assert called(server, arguments) == '{"price": 12.5}'
    expected = "/items/a%2F..%2Fb%3Fx%3D1%23y?q=gr%C3%B6%C3%9Fe+%26+farbe&many=3&fresh=true"
    assert server.asked[0].path == expected


def test_a_query_of_the_address_stays(server: AnsweringServer) -> None:
    called(server, {"id": 7, "q": "x"}, path="/items?key={id}")
    assert server.asked[0].path == "/items?key=7&q=x"


def test_a_post_carries_its_values_as_json(server: AnsweringServer) -> None:
    called(server, {"id": 1, "note": 'Grüße "x"'}, method="POST", headers={"X-Team": "sales"})
    asked = server.asked[0]
    assert asked.method == "POST"
    assert json.loads(asked.body) == {"note": 'Grüße "x"'}
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["X-Team"] == "sales"


def test_the_secret_is_sent_and_never_comes_back(server: AnsweringServer) -> None:
    server.respond = lambda asked: (200, "text/plain", f"you sent {asked.headers['X-Key']}")
    assert called(server, {"id": 1}, secret_header="X-Key") == "you sent [secret]"
    server.respond = lambda asked: (401, "text/plain", "bad tok-0123456789")
    with pytest.raises(PluginError, match=r"HTTP 401. It said: bad \[secret\]"):
        called(server, {"id": 1}, secret_header="X-Key")
    assert server.asked[0].headers["X-Key"] == TOKEN
    assert TOKEN not in repr(plugin(Plugin.Kinds.API, {}, TOKEN))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "id is missing"),
        ({"id": ""}, "id is missing"),
        ({"id": ".."}, "must be more than dots"),
        ({"id": ["x"]}, "id must be a text"),
        ({"id": "x" * 2_001}, "at most 2,000 characters"),
        ({"id": "a\x00"}, "at most 2,000 characters"),
        ({"id": 1, "many": "three"}, "many must be a number"),
        ({"id": 1, "many": float("inf")}, "many must be a number"),
        ({"id": 1, "many": True}, "many must be a number"),
        ({"id": 1, "fresh": "yes"}, "fresh must be true or false"),
    ],
)
def test_bad_values_are_a_sentence_and_ask_nobody(
    arguments: dict[str, Any], sentence: str, server: AnsweringServer
) -> None:
    with pytest.raises(PluginError, match=sentence):
        called(server, arguments)
    assert not server.asked


@pytest.mark.parametrize(
    ("status", "kind", "body", "sentence"),
    [
        (500, "text/plain", "oops", "HTTP 500. It said: oops"),
        (404, "image/png", "x", r"HTTP 404\.$"),
        (302, "text/html", "", "redirects"),
        (200, "image/png", "x", "neither JSON nor text"),
        (200, "application/octet-stream", "x", "neither JSON nor text"),
        (200, "application/json", "x" * 65_537, "too long"),
    ],
)
def test_answers_that_are_of_no_use_are_a_sentence(
    status: int, kind: str, body: str, sentence: str, server: AnsweringServer
) -> None:
    server.answers(body, status, kind)
    server.headers = {"Location": f"{server.url}/elsewhere"} if status == 302 else {}
    with pytest.raises(PluginError, match=sentence):
        called(server, {"id": 1})
    assert len(server.asked) == 1


def test_an_answer_packed_small_is_not_unpacked(server: AnsweringServer) -> None:
    server.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(PluginError, match="cannot be read"):
        called(server, {"id": 1})


def test_a_server_that_drips_is_left_in_time(server: AnsweringServer) -> None:
    server.answers("x" * 1000, kind="text/plain")
    server.drip_seconds = 0.1
    started = time.monotonic()
    with pytest.raises(PluginError, match="in time"):
        api.call(content(server), "", {"id": 1}, allow_private=True, seconds=0.4)
    assert time.monotonic() - started < 2


def test_private_addresses_are_refused(server: AnsweringServer) -> None:
    found = plugin(Plugin.Kinds.API, content(server))
    with pytest.raises(PluginError, match="cannot be used"):
        found.call({"id": 1}, allow_private=False)
    secure = {**content(server), "url": "https://127.0.0.1/items/{id}"}
    with pytest.raises(PluginError, match="not on the public internet"):
        plugin(Plugin.Kinds.API, secure).call({"id": 1}, allow_private=False)
    assert not server.asked
