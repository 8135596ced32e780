"""A letter's text as HTML: paragraphs, lists, tables, links and one kind of button.

What the text says is all there is: the HTML is made from it when a letter leaves, and everything
in it is escaped. Two spaces before each line of a paragraph make it a list, or a table where each
line is `label: value`; a paragraph that is `words: address` becomes a button.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from flask import render_template

_URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")
_BUTTON = re.compile(r"(?P<words>[^\n:]{3,60}): (?P<url>https?://\S+)")
_CELLS = re.compile(r"  (?P<label>[^:\n]{1,60}): (?P<value>\S.*)")


@dataclass(frozen=True)
class Part:
    """A piece of a line; `url` where it is a link."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Block:
    """One paragraph: `text` and `list` have lines of parts, `table` pairs, `button` one part."""

    kind: str
    lines: list[list[Part]] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    """The paragraphs of a letter, which blank lines separate."""
    found = (part.strip("\n") for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    return [_block(part) for part in found if part.strip()]


def _block(paragraph: str) -> Block:
    button = _BUTTON.fullmatch(paragraph.strip())
    if button is not None:
        return Block("button", [[Part(button["words"], button["url"])]])
    lines = paragraph.split("\n")
    if all(line.startswith("  ") for line in lines):
        cells = [_CELLS.fullmatch(line.rstrip()) for line in lines]
        if all(cells):
            return Block("table", pairs=[(cell["label"], cell["value"]) for cell in cells if cell])
        return Block("list", [parts(line.strip()) for line in lines])
    return Block("text", [parts(line) for line in lines])


def parts(line: str) -> list[Part]:
    """A line with its addresses as links, each under its own name."""
    found, end = [], 0
    for match in _URL.finditer(line):
        if match.start() > end:
            found.append(Part(line[end : match.start()]))
        found.append(Part(match[0], match[0]))
        end = match.end()
    if end < len(line):
        found.append(Part(line[end:]))
    return found


def html_of(subject: str, text: str, company: str, choose_url: str) -> str:
    """The whole page; `choose_url` where people choose their mails, empty for other letters."""
    return render_template(
        "mails/letter.html",
        subject=subject,
        blocks=blocks(text),
        company=company,
        choose_url=choose_url,
    )
