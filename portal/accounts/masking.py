"""Keeps secrets out of the audit log, whatever a caller hands in: by name and by look."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

HIDDEN = "***"
HIDDEN_AND_NEW = "*** (another one)"
# Parts of a name under which nothing is told, and those under which no text is.
NEVER = frozenset(
    {"password", "passwd", "passphrase", "secret", "credential", "authorization", "cookie", "pin"}
)
NO_TEXT = frozenset({"key", "token", "apikey", "bearer", "otp", "totp"})
# `api_key_name` names a key and is none.
HARMLESS_ENDS = frozenset({"name", "prefix", "id", "ids", "hint", "label", "count", "change", "at"})
# What became of a secret, told by callers in place of it.
HARMLESS_WORDS = frozenset({"kept", "replaced", "removed", "none"})
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LOOKS_SECRET = re.compile(r"\b(sk-|Bearer |Basic )[A-Za-z0-9_\-.+/=]{8,}")

TextHider = Callable[[str], str]
_hiders: list[TextHider] = []


def hide_also(hider: TextHider) -> None:
    """Let a room above say how its own secrets look inside a text."""
    if hider not in _hiders:
        _hiders.append(hider)


def masked(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Both without secrets; that a hidden value is another one now is told."""
    old = None if before is None else {name: _value(name, before[name]) for name in before}
    new = None if after is None else {name: _value(name, after[name]) for name in after}
    for name in (old or {}).keys() & (new or {}).keys():
        changed = (before or {})[name] != (after or {})[name]
        if changed and (old or {})[name] == HIDDEN == (new or {})[name]:
            (new or {})[name] = HIDDEN_AND_NEW
    return old, new


def _value(name: str, value: Any) -> Any:
    kind = _kind(name)
    if value is None or isinstance(value, bool) or value == "" or not kind:
        return _inside(value)
    if isinstance(value, str) and value in HARMLESS_WORDS:
        return value
    if kind == "never" or isinstance(value, str):
        return HIDDEN
    return _hidden_texts(value)


def _kind(name: str) -> str:
    """ "never", "no text", or nothing."""
    parts = [part.lower() for part in _PART.findall(str(name))]
    if parts and parts[-1] in HARMLESS_ENDS:
        return ""
    found = {*parts, *(part.removesuffix("s") for part in parts)}
    return "never" if found & NEVER else "no text" if found & NO_TEXT else ""


def _inside(value: Any) -> Any:
    """What a harmless name holds may have other names in it."""
    if isinstance(value, dict):
        return {name: _value(name, held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_inside(held) for held in value]
    return text_without_secrets(value) if isinstance(value, str) else value


def _hidden_texts(value: Any) -> Any:
    """Numbers stay, as in `max_tokens`; every text goes."""
    if isinstance(value, dict):
        return {name: _hidden_texts(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden_texts(held) for held in value]
    return HIDDEN if isinstance(value, str) and value else value


def text_without_secrets(text: str) -> str:
    """A text without what looks like a key, ours or a provider's."""
    for hider in _hiders:
        text = hider(text)
    return _LOOKS_SECRET.sub(rf"\1{HIDDEN}", text)
