"""Whatever stands in whatever place of a request: it is taken, or it is a Fault that names it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from portal.serving.openai_errors import Fault, error_body
from portal.serving.openai_request import Wish, noted, session_key_of, wish_of

pytestmark = pytest.mark.engine_independent

CALL = {"id": "c1", "type": "function", "function": {"name": "a", "arguments": "{}"}}
BODY: dict[str, Any] = {
    "model": "demo",
    "messages": [
        {"role": "system", "content": "x"},
        {"role": "user", "content": [{"type": "text", "text": "x"}], "name": "Ann"},
        {"role": "assistant", "content": None, "refusal": "no", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "x"},
    ],
    "tools": [{"type": "function", "function": {"name": "a", "description": "", "parameters": {}}}],
    "tool_choice": {"type": "function", "function": {"name": "a"}},
    "parallel_tool_calls": True,
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
    "stop": ["a"],
    "stream": True,
    "stream_options": {"include_usage": True},
    "metadata": {"session_key": "a"},
    "n": 1,
    "seed": 1,
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "max_tokens": 1,
    "max_completion_tokens": 1,
}
STRANGE: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    "",
    "x" * 300,
    "\ud800\x00",
    [],
    {},
    [[]],
    [None],
    {"\ud800": {"a": 1}},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to everything in a JSON value."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for name, entry in inner:
        yield from places(entry, (*path, name))


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    body = copy.deepcopy(BODY)
    at: Any = body
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return body


def test_the_body_itself_is_good() -> None:
    wish = wish_of(BODY, ("demo",))
    assert wish.include_usage
    assert wish.conversation.question == "x"
    assert [message["role"] for message in wish.conversation.messages] == [
        "user",
        "assistant",
        "tool",
    ]


def outcome(body: dict[str, Any]) -> Wish | Fault:
    try:
        session_key_of(body)
        return wish_of(body, ("demo",))
    except Fault as fault:
        return fault


@pytest.mark.parametrize("path", list(places(BODY)), ids=lambda path: ".".join(map(str, path)))
def test_a_strange_value_is_taken_or_a_fault(path: tuple[Any, ...]) -> None:
    for value in STRANGE:
        body = changed(path, value)
        found = outcome(body)
        told: Any = noted(body)
        if isinstance(found, Fault):
            assert found.status in (400, 404)
            assert found.param
            told = [told, error_body(found.status, found.message, found.param)]
        else:
            told["question"] = found.conversation.question
        json.dumps(told, ensure_ascii=False).encode()
