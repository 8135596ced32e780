"""The values that a plugin asks for: their schema for the model, and what it gave, checked."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from portal.errors import PortalError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}\Z", re.ASCII)
MOST_PARAMETERS = 10
LONGEST_DESCRIPTION = 300
LONGEST_VALUE = 2_000
TYPES = ("string", "number", "boolean")
PATH, QUERY, BODY = "path", "query", "body"
Value = str | int | float | bool


class PluginError(PortalError):
    """The plugin has no result this time; the sentence tells the model, or who tests, why."""


@dataclass(frozen=True)
class Parameter:
    """One value; `where` it goes matters to HTTP only: path, query or body."""

    name: str
    type: str = "string"
    description: str = ""
    required: bool = False
    where: str = QUERY

    def stored(self) -> dict[str, Any]:
        """As JSON, for the plugin's content."""
        return asdict(self)

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON schema, for the model."""
        return {
            "type": self.type,
            **({"description": self.description} if self.description else {}),
        }


def of_content(content: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters that a plugin's content describes."""
    return tuple(Parameter(**entry) for entry in content.get("parameters", ()))


def schema_of(parameters: Iterable[Parameter]) -> dict[str, Any]:
    """The JSON schema of a call's arguments."""
    listed = tuple(parameters)
    return {
        "type": "object",
        "properties": {parameter.name: parameter.schema for parameter in listed},
        "required": [parameter.name for parameter in listed if parameter.required],
        "additionalProperties": False,
    }


def read(parameters: Iterable[Parameter], arguments: Mapping[str, Any]) -> dict[str, Value]:
    """The given values in their types; absent ones are left out. Raises PluginError."""
    found: dict[str, Value] = {}
    for parameter in parameters:
        given = arguments.get(parameter.name)
        if given is None or given == "":
            if parameter.required:
                raise PluginError(f"{parameter.name} is missing.")
            continue
        found[parameter.name] = _READERS[parameter.type](parameter.name, given)
    return found


def _string(name: str, given: Any) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if not isinstance(given, str | int | float):
        raise PluginError(f"{name} must be a text.")
    text = str(given)
    if len(text) > LONGEST_VALUE or "\x00" in text:
        raise PluginError(f"{name} must be a text of at most {LONGEST_VALUE:,} characters.")
    return text.encode("utf-8", "replace").decode()


def _number(name: str, given: Any) -> int | float:
    if isinstance(given, str) and len(given) <= 40:
        try:
            given = int(given) if re.fullmatch(r"\s*[+-]?[0-9]+\s*", given) else float(given)
        except ValueError:
            given = None
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or not math.isfinite(given) or abs(given) >= 2**63:
        raise PluginError(f"{name} must be a number.")
    return int(given) if isinstance(given, float) and given.is_integer() else given


def _boolean(name: str, given: Any) -> bool:
    found = {"true": True, "false": False}.get(str(given).strip().lower())
    if found is None:
        raise PluginError(f"{name} must be true or false.")
    return found


_READERS = {"string": _string, "number": _number, "boolean": _boolean}
