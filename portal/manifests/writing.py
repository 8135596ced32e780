"""YAML out: what `reading` reads as the same values, in the order given. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from portal.manifests.reading import INTEGER, NUMBER

_WIDTH = 100
_OTHER_BREAKS = "\x85\u2028\u2029\ufeff"
_SIGNS = list("-+.0123456789")


_ESCAPED = "\\U0"  # how libyaml writes what is beyond 16 bits, emoji for example


class _Writer(yaml.SafeDumper):
    """Texts of several lines as such; quotes around what YAML 1.2 would take for a number."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _QuickWriter(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """The same by libyaml where it is there: six times as quick."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(writer: Any, text: str) -> Any:
    is_long = "\n" in text and not any(line != line.rstrip() for line in text.split("\n"))
    style = "|" if is_long else None
    if any(letter in text for letter in _OTHER_BREAKS):
        style = '"'
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


for _writer in (_Writer, _QuickWriter):
    _writer.add_representer(str, _text)
    _writer.add_implicit_resolver("tag:yaml.org,2002:int", INTEGER, _SIGNS)
    _writer.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, _SIGNS)


def text_of(documents: Iterable[dict[str, Any]]) -> str:
    """The documents as one text, `---` between them."""
    return "".join(_text_of(document) for document in documents)


def _text_of(document: dict[str, Any]) -> str:
    text = _written(document, _QuickWriter)
    return _written(document, _Writer) if _ESCAPED in text else text


def _written(document: dict[str, Any], writer: Any) -> str:
    text: str = yaml.dump(
        document,
        Dumper=writer,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        explicit_start=True,
    )
    return text
