"""The JSON schema (draft 2020-12) of each kind, from its table of fields. Pure."""

from __future__ import annotations

from typing import Any

from portal.manifests.fields import API_VERSION, Field, Parts, Types, bounds_of
from portal.manifests.kind import Kind

Schema = dict[str, Any]
_TYPES: dict[Types, Schema] = {
    Types.STRING: {"type": "string"},
    Types.INTEGER: {"type": "integer"},
    Types.NUMBER: {"type": "number"},
    Types.BOOLEAN: {"type": "boolean"},
    Types.STRINGS: {"type": "array", "items": {"type": "string"}},
    Types.OBJECT: {"type": "object"},
    Types.TEXTS: {"type": "object", "additionalProperties": {"type": "string"}},
    Types.JSON: {"type": ["object", "array"]},
}


def schema_of(kind: Kind) -> Schema:
    """A whole manifest of the kind, as it is read."""
    parts = {part.value: _part(kind, part) for part in Parts if _fields(kind, part)}
    if "status" in parts:
        parts["status"]["readOnly"] = True
    return {
        "type": "object",
        "description": kind.about,
        "required": ["apiVersion", "kind", *parts],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": kind.name},
            **parts,
        },
        "additionalProperties": False,
    }


def wish_of(kind: Kind) -> Schema:
    """What is sent to make or change one: any of the fields that may be written.

    What was answered may be sent back: `status` is left out then.
    """
    told = {"description": "Left out, so that what was answered may be sent back."}
    parts: Schema = {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": kind.name},
        "status": {"type": "object", **told},
    }
    for part in (Parts.METADATA, Parts.SPEC):
        own = [one for one in _fields(kind, part) if not one.is_read_only]
        if own:
            parts[part.value] = _object(kind, own)
    return {"type": "object", "properties": parts, "additionalProperties": False}


def _fields(kind: Kind, part: Parts) -> list[Field]:
    return [one for one in kind.fields if one.part == part]


def _part(kind: Kind, part: Parts) -> Schema:
    return _object(kind, _fields(kind, part))


def _object(kind: Kind, fields: list[Field]) -> Schema:
    return {
        "type": "object",
        "properties": {one.name: field_schema(kind, one) for one in fields},
        "additionalProperties": False,
    }


def field_schema(kind: Kind, field: Field) -> Schema:
    """One field with the limits of its form."""
    found: Schema = {"description": field.about}
    if field.type == Types.OBJECTS:
        found |= {"type": "array", "items": _object(kind, list(field.fields))}
    else:
        found |= _TYPES[field.type]
    bounds = bounds_of(kind.form_class, field)
    if field.type == Types.STRING and bounds.longest and not field.is_secret:
        found["maxLength"] = bounds.longest
    if bounds.least is not None:
        found |= {"minimum": bounds.least, "maximum": bounds.most}
    if field.choices:
        found["enum"] = list(field.choices)
    if field.is_nullable:
        found["type"] = [found["type"], "null"]
    if field.is_read_only:
        found["readOnly"] = True
    return found
