"""YAML in: only what JSON knows, with the line of every field. Pure.

Read event by event, so that no tag makes an object and nothing is repeated by an alias. Plain
words mean what YAML 1.2 says (section 10.3, core schema): `yes` and `1.0.0` are texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from portal.errors import PortalError
from portal.form_rules import is_storable

LARGEST = 256_000  # octets, looked at before anything is parsed; what a page can do while it waits
LARGEST_FILE = 64_000_000  # of the command line, where nobody else waits
LARGEST_IMAGES = 6_000_000  # base64 beside that, of which there is little to read
LARGEST_IMAGES_OF_FILE = 192_000_000
LONG = 1000  # characters from which on a text may be an image
INSTEAD = "Send it in parts, or whole by the command line: manifest apply FILE."
DEEPEST = 20
MOST_DOCUMENTS = 500
MOST_IN_FILE = 50_000
INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z", re.ASCII)
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*\Z", re.ASCII)
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z", re.ASCII)
WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # its scanner and parser only
Path = tuple[str | int, ...]


class NotReadable(PortalError):
    """The text is no manifest; `line` counts from 1, 0 where none is to blame."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(f"Line {line}: {sentence}" if line else sentence)
        self.line = line


@dataclass(frozen=True)
class Document:
    """One manifest as it was written; `lines` by path, such as `("spec", "provider")`."""

    values: Any
    lines: dict[Path, int]
    line: int

    def line_of(self, *path: str | int) -> int:
        """The line of a field, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, self.line)


@dataclass(frozen=True)
class Room:
    """How much of a text is read: octets, those of images beside them, and how many documents."""

    octets: int = LARGEST
    images: int = LARGEST_IMAGES
    documents: int = MOST_DOCUMENTS

    @property
    def in_words(self) -> str:
        images = f"{self.images // 1_000_000:,} MB of images"
        return f"At most {self.octets // 1000:,} kB and {images} are taken here. {INSTEAD}"


ON_PAGE = Room()
OF_FILE = Room(LARGEST_FILE, LARGEST_IMAGES_OF_FILE, MOST_IN_FILE)


def documents_of(text: str, room: Room = ON_PAGE) -> list[Document]:
    """The documents of a text, empty ones left out. Raises NotReadable."""
    if len(text.encode("utf-8", "replace")) > room.octets + room.images:
        raise NotReadable(room.in_words)
    if not is_storable(text):
        raise NotReadable("The text contains a character that cannot be stored.")
    try:
        return list(_read(_within(yaml.parse(text, Loader=_LOADER), room), room.documents))
    except yaml.YAMLError as error:
        raise _in_words(error) from error


def _within(events: Iterator[Any], room: Room) -> Iterator[Any]:
    """The same; images cost little to read, so they have room of their own."""
    of_images, before = 0, ""
    for event in events:
        end, text = event.end_mark.index, getattr(event, "value", "")
        if before == "data" and is_image(text):
            of_images += end - event.start_mark.index
        before = text
        if end - of_images > room.octets:
            raise NotReadable(room.in_words)
        yield event


def is_image(text: str) -> bool:
    """Whether a text is as long as an image, and nothing but base64."""
    return len(text) > LONG and BASE64.match(text) is not None


def _read(events: Iterator[Any], most: int) -> Iterator[Document]:
    count = 0
    for event in events:
        if not isinstance(event, yaml.DocumentStartEvent):
            continue
        count += 1
        if count > most:
            raise NotReadable(f"At most {most:,} documents at a time here. {INSTEAD}", _line(event))
        first, lines = next(events), {}
        values = _value(first, events, lines, ())
        if values is not None:
            yield Document(values, lines, _line(first))


def _value(event: Any, events: Iterator[Any], lines: dict[Path, int], path: Path) -> Any:
    """What an event begins, as a plain value."""
    if isinstance(event, yaml.AliasEvent):
        raise NotReadable("Aliases (*) are not taken. Write the value out.", _line(event))
    if event.tag not in (None, "!"):
        raise NotReadable("Tags (!) are not taken. Write the plain value.", _line(event))
    if len(path) > DEEPEST:
        raise NotReadable(f"Nested deeper than {DEEPEST} levels.", _line(event))
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if isinstance(event, yaml.SequenceStartEvent):
        return _list(events, lines, path)
    return _object(events, lines, path)


def _list(events: Iterator[Any], lines: dict[Path, int], path: Path) -> list[Any]:
    found: list[Any] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        inner = (*path, len(found))
        lines[inner] = _line(event)
        found.append(_value(event, events, lines, inner))
    return found


def _object(events: Iterator[Any], lines: dict[Path, int], path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        if not isinstance(event, yaml.ScalarEvent):
            raise NotReadable("A key must be a plain word.", _line(event))
        key, inner = event.value, (*path, event.value)
        if key in found:
            told = f"{key[:60]} stands twice here, first on line {lines[inner]}."
            raise NotReadable(told, _line(event))
        lines[inner] = _line(event)
        found[key] = _value(next(events), events, lines, inner)
    return found


def _scalar(event: Any) -> Any:
    text: str = event.value
    if event.style in ("'", '"', "|", ">") or event.tag == "!":
        return text
    if text in WORDS:
        return WORDS[text]
    if INTEGER.match(text):
        return int(text)
    if NUMBER.match(text) and math.isfinite(number := float(text)):
        return number
    return text


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _in_words(error: yaml.YAMLError) -> NotReadable:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", "") or "").strip()[:200]
    told = f"This is not YAML ({problem})." if problem else "This is not YAML."
    return NotReadable(told, mark.line + 1 if mark else 0)
