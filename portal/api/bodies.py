"""JSON in: an object, strictly read; whatever else is sent is told in a sentence."""

from __future__ import annotations

import json
from typing import Any

from flask import request
from wtforms import ValidationError

from portal.api.problems import Refusal
from portal.form_rules import (
    NOT_STORABLE,
    finite_number,
    is_storable,
    refuse_constant,
    texts_in,
)

TYPES = ("application/json", "application/merge-patch+json")
NOT_JSON = "The body is not a JSON object."


class _Twice(ValueError):
    """A key that stands twice in an object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice("A key stands twice in one object of the body.")
    return found


def body() -> dict[str, Any]:
    """The object that was sent, {} for no body. Raises Refusal."""
    sent = request.get_data()
    if not sent.strip():
        return {}
    if request.mimetype not in TYPES:
        raise Refusal(415, "Send JSON, with Content-Type: application/json.")
    try:
        found = json.loads(
            sent.decode("utf-8"),
            parse_constant=refuse_constant,
            parse_float=finite_number,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError) as error:
        raise Refusal(400, str(error) if isinstance(error, _Twice) else NOT_JSON) from error
    if not isinstance(found, dict):
        raise Refusal(400, NOT_JSON)
    _refuse_odd(found)
    return found


def _refuse_odd(found: dict[str, Any]) -> None:
    try:
        is_fine = all(is_storable(text) for text in texts_in(found))
    except ValidationError as error:
        raise Refusal(400, str(error)) from error
    if not is_fine:
        raise Refusal(400, NOT_STORABLE)


def only(found: dict[str, Any], *names: str) -> dict[str, Any]:
    """The same, with nothing in it that nobody asked for. Raises Refusal."""
    for name in found:
        if name not in names:
            known = ", ".join(names) or "none"
            raise Refusal(422, f"Unknown field `{name[:60]}`. There are: {known}.")
    return found
