"""Single values of a chat completion request: right, or a Fault that names the field. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from portal.llm_providers.messages import storable
from portal.serving.openai_errors import Fault

LARGEST_NUMBER = 2**63
LONGEST_NAME = 256
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


def number_of(given: Mapping[str, Any], name: str, least: float, most: float) -> float | None:
    """A number within these bounds, None where there is none."""
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(name, "a number", value)
    if not least <= value <= most:
        raise wrong_value(name, f"expected {least:g} to {most:g}")
    return value


def whole_of(given: Mapping[str, Any], name: str, least: int) -> int:
    """A whole number that is not too small."""
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(name, "an integer", value)
    if not least <= value < LARGEST_NUMBER:
        raise wrong_value(name, f"expected {least} or more, within 64 bits")
    return value


def flag_of(given: Mapping[str, Any], name: str) -> bool:
    """True or false, false where there is none."""
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise wrong_type(name, "a boolean", value)
    return value


def string_of(value: object, path: str, longest: int | None = None) -> str:
    """A text, cleaned."""
    if not isinstance(value, str):
        raise wrong_type(path, "a string", value)
    if longest is not None and len(value) > longest:
        message = f"Invalid '{path}': at most {longest} characters."
        raise Fault(message, path, code="string_above_max_length")
    return storable(value)


def identity_of(value: object, path: str) -> str:
    """The id of a call of a tool."""
    if value is None or value == "":
        raise Fault(f"Missing required parameter: '{path}'.", path)
    return string_of(value, path, LONGEST_NAME)


def function_name_of(value: object, path: str) -> str:
    """A function's name."""
    if not isinstance(value, str) or not NAME.match(value):
        raise wrong_value(path, "expected 1 to 64 letters, digits, underscores or dashes")
    return value


def wrong_type(path: str, expected: str, value: object) -> Fault:
    """The fault of a value of another type."""
    message = f"Invalid type for '{path}': expected {expected}, but got {_kind(value)} instead."
    return Fault(message, path, code="invalid_type")


def wrong_value(path: str, expected: str) -> Fault:
    """The fault of a value that is none of those expected."""
    return Fault(f"Invalid value for '{path}': {expected}.", path, code="invalid_value")


KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def _kind(value: object) -> str:
    return KINDS.get(type(value), "something else")
