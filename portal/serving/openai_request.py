"""The body of a chat completion request, checked field by field in the API's words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.llm_providers.messages import storable
from portal.serving.openai_errors import Fault
from portal.serving.openai_messages import last_question, messages_of
from portal.serving.openai_values import (
    LARGEST_NUMBER,
    LONGEST_NAME,
    flag_of,
    function_name_of,
    number_of,
    string_of,
    whole_of,
    wrong_type,
    wrong_value,
)
from portal.serving.questions import Conversation

MOST_TOOLS = 128
MOST_STOPS = 4
OLD_FIELDS = {"functions": "tools", "function_call": "tool_choice"}
FORMATS = ("text", "json_object", "json_schema")
NEEDS_TOOLS = ("tool_choice", "parallel_tool_calls")


@dataclass(frozen=True)
class Wish:
    """What a caller asks for: the conversation, and how the answer shall come."""

    conversation: Conversation
    stream: bool
    include_usage: bool


def wish_of(body: Mapping[str, Any], models: tuple[str, ...]) -> Wish:
    """The request, if all of it is good; `models` are the names of the client's. Raises Fault.

    A field that is null counts as absent; one that we do not know is left out.
    """
    given = {name: value for name, value in body.items() if value is not None}
    check_model(given.get("model"), models)
    messages = messages_of(given.get("messages"))
    _check_wanted_once(given)
    stream = flag_of(given, "stream")
    extra = _extra(given)
    return Wish(
        Conversation(
            question=last_question(body),
            messages=messages,
            temperature=number_of(given, "temperature", 0, 2),
            max_tokens=_answer_limit(given),
            extra=extra,
            noted=noted(given),
        ),
        stream,
        _include_usage(given, stream),
    )


def check_model(model: object, models: tuple[str, ...]) -> None:
    """Raise Fault unless it is the client's model, by its own name or the client's."""
    if model is None:
        raise Fault("you must provide a model parameter", "model")
    if not isinstance(model, str):
        raise wrong_type("model", "a string", model)
    if model not in models:
        raise Fault(
            f"The model '{storable(model[:100])}' does not exist or you do not have access to it.",
            "model",
            status=404,
            code="model_not_found",
        )


def session_key_of(body: Mapping[str, Any]) -> str:
    """The session that the metadata name, if they do. Raises Fault."""
    metadata = body.get("metadata")
    if metadata is None:
        return ""
    if not isinstance(metadata, dict):
        raise wrong_type("metadata", "an object", metadata)
    key = metadata.get("session_key")
    if key is not None and not isinstance(key, str):
        raise wrong_type("metadata.session_key", "a string", key)
    return key or ""


def noted(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the history keeps of a request beside its question: tools by name, plain parameters."""
    tools = body.get("tools")
    messages = body.get("messages")
    named = [_name_of(tool) for tool in tools[:MOST_TOOLS]] if isinstance(tools, list) else []
    return {
        "api": "openai",
        "messages": len(messages) if isinstance(messages, list) else 0,
        "tools": [name for name in named if name],
        "parameters": {name: body[name] for name in PLAIN if _is_plain(body.get(name))},
    }


PLAIN = (
    "model",
    "stream",
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "top_p",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "tool_choice",
    "parallel_tool_calls",
    "n",
)


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_NAME and value == storable(value)
    return isinstance(value, bool | int | float) and abs(value) <= LARGEST_NUMBER


def _check_wanted_once(given: Mapping[str, Any]) -> None:
    for old, new in OLD_FIELDS.items():
        if old in given:
            message = f"Unsupported parameter: '{old}'. Use '{new}' instead."
            raise Fault(message, old, code="unsupported_parameter")
    n = given.get("n", 1)
    if isinstance(n, bool) or n != 1:
        raise Fault("Invalid 'n': this client gives one choice; expected 1.", "n")


def _answer_limit(given: Mapping[str, Any]) -> int | None:
    """The smaller one, where both the old and the new name are used."""
    limits = [
        whole_of(given, name, 1)
        for name in ("max_tokens", "max_completion_tokens")
        if name in given
    ]
    return min(limits, default=None)


def _include_usage(given: Mapping[str, Any], stream: bool) -> bool:
    options = given.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise wrong_type("stream_options", "an object", options)
    if not stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Fault(message, "stream_options")
    wanted = options.get("include_usage")
    if wanted is not None and not isinstance(wanted, bool):
        raise wrong_type("stream_options.include_usage", "a boolean", wanted)
    return bool(wanted)


def _extra(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that go on to the provider as they came."""
    tools = _tools(given)
    if not tools:
        for name in NEEDS_TOOLS:
            if name in given and given[name] != "none":
                message = f"'{name}' is only allowed when 'tools' are specified."
                raise Fault(f"Invalid value for '{name}': {message}", name)
    found = {name: check(given, name) for name, check in CHECKS.items() if name in given}
    if tools:
        found["tools"] = tools
    if "tool_choice" in given and tools:
        found["tool_choice"] = _tool_choice(given["tool_choice"], tools)
    return found


def _tools(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    tools = given.get("tools", [])
    if not isinstance(tools, list):
        raise wrong_type("tools", "an array of objects", tools)
    if "tools" in given and not 0 < len(tools) <= MOST_TOOLS:
        raise Fault(f"Invalid 'tools': expected 1 to {MOST_TOOLS} tools.", "tools")
    return [_tool(tool, f"tools[{number}]") for number, tool in enumerate(tools)]


def _tool(tool: object, path: str) -> dict[str, Any]:
    if not isinstance(tool, dict):
        raise wrong_type(path, "an object", tool)
    if tool.get("type") != "function":
        raise wrong_value(f"{path}.type", "expected 'function'")
    function = tool.get("function")
    if not isinstance(function, dict):
        raise wrong_type(f"{path}.function", "an object", function)
    function_name_of(function.get("name"), f"{path}.function.name")
    for name, kind, words in (("description", str, "a string"), ("parameters", dict, "an object")):
        value = function.get(name)
        if value is not None and not isinstance(value, kind):
            raise wrong_type(f"{path}.function.{name}", words, value)
    return {"type": "function", "function": function}


def _tool_choice(choice: object, tools: list[dict[str, Any]]) -> object:
    if choice in ("none", "auto", "required"):
        return choice
    if not isinstance(choice, dict):
        raise wrong_value("tool_choice", "expected 'none', 'auto', 'required' or a function")
    name = _name_of(choice)
    if choice.get("type") != "function" or not name:
        raise wrong_value("tool_choice", "expected an object that names a function")
    if name not in [tool["function"]["name"] for tool in tools]:
        message = f"Tool choice '{name[:64]}' not found in 'tools' parameter."
        raise Fault(message, "tool_choice")
    return {"type": "function", "function": {"name": name}}


def _response_format(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    wanted = given[name]
    if not isinstance(wanted, dict):
        raise wrong_type(name, "an object", wanted)
    if wanted.get("type") not in FORMATS:
        raise wrong_value(f"{name}.type", f"expected one of {', '.join(FORMATS)}")
    if wanted["type"] != "json_schema":
        return {"type": wanted["type"]}
    schema = wanted.get("json_schema")
    if not isinstance(schema, dict):
        raise wrong_type(f"{name}.json_schema", "an object", schema)
    function_name_of(schema.get("name"), f"{name}.json_schema.name")
    return {"type": "json_schema", "json_schema": schema}


def _stop(given: Mapping[str, Any], name: str) -> str | list[str]:
    stops = given[name]
    if isinstance(stops, str):
        return storable(stops)
    if not isinstance(stops, list):
        raise wrong_type(name, "a string or an array of strings", stops)
    if len(stops) > MOST_STOPS:
        message = f"Invalid '{name}': at most {MOST_STOPS} sequences."
        raise Fault(message, name, code="array_above_max_length")
    return [string_of(stop, f"{name}[{number}]") for number, stop in enumerate(stops)]


CHECKS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {
    "parallel_tool_calls": flag_of,
    "response_format": _response_format,
    "stop": _stop,
    "seed": lambda given, name: whole_of(given, name, -LARGEST_NUMBER),
    "top_p": lambda given, name: number_of(given, name, 0, 1),
    "presence_penalty": lambda given, name: number_of(given, name, -2, 2),
    "frequency_penalty": lambda given, name: number_of(given, name, -2, 2),
}


def _name_of(tool: object) -> str:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return storable(name)[:64] if isinstance(name, str) else ""
