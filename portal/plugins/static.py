"""The kind static: JSON data that the model is told, or may look up by key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from portal.plugins.parameters import PluginError

LARGEST = 64 * 1024
MOST_OFFERED_KEYS = 50
KEY = "key"


def text_of(content: Mapping[str, Any]) -> str:
    """All the data as compact JSON."""
    return _json(content.get("data", {}))


def schema_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """A call may name a key where the data has some; without one it gets everything."""
    properties = {}
    keys = _keys(content)
    if keys:
        known = {"enum": keys} if len(keys) <= MOST_OFFERED_KEYS else {}
        told = "The part that is needed. Everything where it is left out."
        properties[KEY] = {"type": "string", "description": told, **known}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def call(content: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """The data, or the part under `key`. Raises PluginError where there is no such part."""
    key = arguments.get(KEY)
    if key in (None, "") or not _keys(content):
        return text_of(content)
    if not isinstance(key, str) or key not in content["data"]:
        raise PluginError(f"There is no part of that name. There are: {_listed(_keys(content))}.")
    return _json(content["data"][key])


def _keys(content: Mapping[str, Any]) -> list[str]:
    data = content.get("data")
    return list(data) if isinstance(data, dict) else []


def _listed(keys: list[str]) -> str:
    return ", ".join(keys[:MOST_OFFERED_KEYS])[:2000]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
