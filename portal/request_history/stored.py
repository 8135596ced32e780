"""The JSON of a request as it is stored, read as text: whatever it is, it can be shown. Pure.

A row may hold JSON that is broken, deeper than a parser goes, or larger than a page may be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LARGEST_READ = 2_000_000
LONGEST_SHOWN = 60_000
LONGEST_SAID = 20_000


@dataclass(frozen=True)
class Stored:
    """One side of a request; `value` is None where its JSON cannot be read.

    `characters` is the length of all of it, `text` may be its beginning only.
    """

    text: str
    characters: int
    value: Any = None
    is_readable: bool = False

    @property
    def is_whole(self) -> bool:
        return len(self.text) >= self.characters

    @property
    def mapping(self) -> Mapping[str, Any]:
        """The value where it is an object; else an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def shown(self) -> str:
        """With line breaks where it can be read, at most 60,000 characters."""
        return printable(self._pretty()[:LONGEST_SHOWN])

    @property
    def note(self) -> str:
        """What has to be said of it; usually nothing."""
        if not self.is_whole or len(self._pretty()) > LONGEST_SHOWN:
            return (
                f"This is its beginning: all of it has {self.characters:,} characters. "
                "Download the raw JSON to read it whole."
            )
        if not self.is_readable:
            return "This is no JSON that can be read, so it is shown as it is stored."
        return ""

    def _pretty(self) -> str:
        if not self.is_readable:
            return self.text
        try:
            return json.dumps(self.value, indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return self.text


def read(text: str | None, characters: int | None = None) -> Stored | None:
    """What is stored, out of its text; None for nothing."""
    if text is None or text == "null":
        return None
    whole = len(text) if characters is None else characters
    if len(text) < whole:
        return Stored(text, whole)
    try:
        return Stored(text, whole, _parsed(text), is_readable=True)
    except (ValueError, RecursionError):
        return Stored(text, whole)


def _parsed(text: str) -> Any:
    """The value, with a question mark for each half of a character, which nothing could send."""
    value = json.loads(text)
    if "\\ud" not in text.lower():
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def printable(text: str) -> str:
    """The text with what no encoding has written out: halves of characters, NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def words(value: Any, longest: int = LONGEST_SAID) -> str:
    """A text as it is, anything else as JSON, cut where it is too long."""
    if isinstance(value, str):
        said = value
    else:
        try:
            said = json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            said = str(type(value).__name__)
    cut = f"{said[:longest]}… (cut here)" if len(said) > longest else said
    return printable(cut)


def messages(request: Stored | None) -> Iterator[tuple[str, str]]:
    """Role and content of the messages that were sent, where the row keeps them."""
    if request is None:
        return
    sent = request.mapping.get("sent")
    found = sent.get("messages") if isinstance(sent, dict) else request.mapping.get("messages")
    for message in found if isinstance(found, list) else []:
        if isinstance(message, dict):
            yield words(message.get("role", "")), words(message.get("content", ""))


def question(request: Stored | None) -> str:
    """What was asked."""
    found = request.mapping.get("message") if request else None
    return "" if found is None else words(found)


def answer(response: Stored | None) -> str:
    """What was answered."""
    found = response.mapping.get("text") if response else None
    return "" if found is None else words(found)
