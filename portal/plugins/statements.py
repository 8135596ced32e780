"""One SELECT with `:name` in it: read so far that its names and its end are known (pure).

What a statement may do is decided by the database, which gets it in a read-only transaction; this
is the first fence, and what turns names into bound parameters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.plugins.parameters import PluginError

LONGEST = 10_000
_PART = re.compile(
    r"""(?P<comment>--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)"""
    r"""|(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")"""
    r"""|(?P<cast>::)"""
    r"""|(?P<name>:[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<other>.)""",
    re.DOTALL | re.ASCII,
)
_STRANGE = {
    "$": "A statement cannot have $ outside of quotes here.",
    "'": "A quote is not closed.",
    '"': "A quote is not closed.",
    "\\": "A statement cannot have \\ outside of quotes here.",
    "`": "A name is quoted with double quotes.",
    "\x00": "A statement cannot have that character.",
}


@dataclass(frozen=True)
class Statement:
    """The text in parts; `names` are those of its parameters, each once."""

    parts: tuple[tuple[str, str], ...]
    names: tuple[str, ...]

    def for_sqlite(self) -> str:
        """With `:name`, as SQLite binds."""
        return "".join(text for _, text in self.parts)

    def for_postgresql(self) -> str:
        """With `%(name)s`, as psycopg binds on the server."""
        return "".join(
            f"%({text[1:]})s" if kind == "name" else text.replace("%", "%%")
            for kind, text in self.parts
        )


def read(text: str) -> Statement:
    """One statement that begins with SELECT or WITH. Raises PluginError."""
    text = text.strip()
    if len(text) > LONGEST:
        raise PluginError(f"A statement has at most {LONGEST:,} characters.")
    parts = [_part(match) for match in _PART.finditer(text)]
    while parts and parts[0][1].isspace():
        parts.pop(0)
    while parts and (parts[-1][1].isspace() or parts[-1][1] == ";"):
        parts.pop()
    if not parts or parts[0][1].lower() not in ("select", "with"):
        raise PluginError("A statement must begin with SELECT or WITH.")
    _check(parts)
    names = dict.fromkeys(part[1:] for kind, part in parts if kind == "name")
    return Statement(tuple(parts), tuple(names))


def _part(match: re.Match[str]) -> tuple[str, str]:
    """A comment is a space: without it, what stands around it could become another comment."""
    kind = str(match.lastgroup)
    return ("other", " ") if kind == "comment" else (kind, match[0])


def _check(parts: list[tuple[str, str]]) -> None:
    depth = 0
    before = ""
    for kind, part in parts:
        if part == ";":
            raise PluginError("There is more than one statement. Give one SELECT.")
        if kind == "other" and part in _STRANGE:
            raise PluginError(_STRANGE[part])
        if kind == "quoted" and part[0] == "'" and before == "word":
            raise PluginError("A quoted text cannot have letters before its quote here.")
        depth += {"(": 1, ")": -1}.get(part, 0)
        if depth < 0:
            break
        before = kind
    if depth:
        raise PluginError("The parentheses of the statement do not match.")
