"""Which scripts a label is written in, and whether it is drawn like a Latin one. Pure."""

from __future__ import annotations

import unicodedata

# Scripts that one language writes together (UTS 39 section 5.2, "highly restrictive").
TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
)


def mixes_scripts(label: str) -> bool:
    """Whether letters of scripts stand in it that no language writes together."""
    scripts = {script for script in map(_script, label) if script}
    return len(scripts) > 1 and not any(scripts <= together for together in TOGETHER)


def _script(character: str) -> str:
    """The script of a letter, "" for what all scripts share."""
    if character.isascii() and not character.isalpha():
        return ""
    first = unicodedata.name(character, "").split(" ")[0]
    known = {"KATAKANA-HIRAGANA": "", "IDEOGRAPHIC": "CJK", "COMBINING": "", "MIDDLE": ""}
    return known.get(first, first)


# Letters of other scripts that are drawn like a Latin one in common fonts.
TWINS = str.maketrans(
    "аеорсухіјѕԁһӏԛԝьгոսսհցօοαινρτυκ",
    "aeopcyxijsdhlqwbrnuuhgooaivptuk",
)


def latin_twin(label: str) -> str:
    """The ASCII label that it is drawn like; "" where it is not, or is ASCII already."""
    folded = label.translate(TWINS)
    return folded if folded != label and folded.isascii() else ""
