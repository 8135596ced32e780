"""YAML out: what `reading` reads as the same values, in the order given. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from portal.manifests.reading import INTEGER, NUMBER

_WIDTH = 100
_OTHER_BREAKS = "\x85\u2028\u2029\ufeff"
_SIGNS = list("-+.0123456789")


class _Writer(yaml.SafeDumper):
    """Texts of several lines as such; quotes around what YAML 1.2 would take for a number."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(writer: _Writer, text: str) -> yaml.ScalarNode:
    is_long = "\n" in text and not any(line != line.rstrip() for line in text.split("\n"))
    style = "|" if is_long else None
    if any(letter in text for letter in _OTHER_BREAKS):
        style = '"'
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _text)
_Writer.add_implicit_resolver("tag:yaml.org,2002:int", INTEGER, _SIGNS)
_Writer.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, _SIGNS)


def text_of(documents: Iterable[dict[str, Any]]) -> str:
    """The documents as one text, `---` between them."""
    return yaml.dump_all(
        documents,
        Dumper=_Writer,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        explicit_start=True,
    )
