"""docs/security.md names every threat, every requirement, and tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine_independent

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = (ROOT / "docs" / "security.md").read_text()
THREATS = {"T": 10, "F": 11, "H": 3, "D": 14, "S": 6, "X": 12, "K": 8, "Q": 2, "B": 3}
# ASVS 5.0.0: the level of each requirement of a section, in their order.
LEVELS = """
1.1 22   1.2 1111122223   1.3 112222222223   1.4 222   1.5 123   2.1 122   2.2 112
2.3 12223   2.4 23   3.1 3   3.2 113   3.3 12223   3.4 11222233   3.5 11122333   3.6 3
3.7 22333   4.1 12233   4.2 23333   4.3 22   4.4 1222   5.1 2   5.2 112333   5.3 113
5.4 222   6.1 122   6.2 111111112222   6.3 11223333   6.4 112233   6.5 22222333   6.6 2223
6.7 33   6.8 2222   7.1 222   7.2 1111   7.3 22   7.4 11222   7.5 223   7.6 22   8.1 1233
8.2 1123   8.3 133   8.4 23   9.1 111   9.2 1222   10.1 22   10.2 223   10.3 22223
10.4 1111122222233333   10.5 22222   10.6 22   10.7 222   11.1 2233   11.2 22233
11.3 11233   11.4 1222   11.5 23   11.6 23   11.7 33   12.1 12233   12.2 11   12.3 22223
13.1 2333   13.2 222223   13.3 2233   13.4 1222233   14.1 22   14.2 12223333   14.3 122
15.1 12233   15.2 12233   15.3 1222222   15.4 3333   16.1 2   16.2 22222   16.3 2222
16.4 222   16.5 2223   17.1 23   17.2 22223333   17.3 22
"""
HELD, NOT_APPLICABLE = "held", "does not apply"
VERDICTS = (HELD, "in part", "not held", NOT_APPLICABLE)
TEST = re.compile(r"\b((?:[a-z_]+/)*test_\w+\.py)(?:::(test_\w+))?")


def levels() -> dict[str, int]:
    """The level of each requirement by its number."""
    words = LEVELS.split()
    return {
        f"{section}.{place}": int(level)
        for section, row in zip(words[::2], words[1::2], strict=True)
        for place, level in enumerate(row, 1)
    }


def rows(beginning: str) -> list[list[str]]:
    """The cells of the table rows that begin so."""
    found = [line for line in DOCUMENT.splitlines() if re.match(rf"\| {beginning} \|", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found]


@cache
def names_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(
    "threat", [f"{letter}{n}" for letter, most in THREATS.items() for n in range(1, most + 1)]
)
def test_every_threat_has_a_row_with_its_tests_or_says_why_not(threat: str) -> None:
    [row] = rows(threat)
    _, name, defence, held_by, requirements = row
    assert name
    assert defence
    assert TEST.search(held_by) or "**Not held here**" in defence
    named = re.findall(r"v5\.0\.0-([0-9.]+)", requirements)
    assert named
    assert set(named) <= set(levels())


def test_every_named_test_is_there() -> None:
    named = set(TEST.findall(DOCUMENT))
    assert len(named) > 150
    for file, name in sorted(named):
        path = ROOT / "tests" / file.removeprefix("tests/")
        assert path.exists(), file
        assert not name or name in names_of(path), f"{file}::{name}"


def test_the_levels_are_those_of_the_standard() -> None:
    """345 requirements: 70, 183 and 92."""
    found = list(levels().values())
    assert [found.count(level) for level in (1, 2, 3)] == [70, 183, 92]


def test_every_requirement_of_levels_1_and_2_has_one_row() -> None:
    found = rows(r"v5\.0\.0-[0-9.]+")
    numbers = [row[0].removeprefix("v5.0.0-") for row in found]
    assert sorted(numbers) == sorted(number for number, level in levels().items() if level < 3)
    for number, (_, level, asks, verdict, why) in zip(numbers, found, strict=True):
        assert int(level) == levels()[number]
        assert asks
        assert verdict in VERDICTS
        assert why, number
        assert verdict != HELD or TEST.search(why) or "docs/" in why or "“" in why, number


@pytest.mark.parametrize("level", [1, 2])
def test_the_sums_at_the_top_are_those_of_the_rows(level: int) -> None:
    verdicts = [row[3] for row in rows(r"v5\.0\.0-[0-9.]+") if row[1] == str(level)]
    [sums] = rows(f"level {level}")
    held, in_part, not_held, not_applicable = (verdicts.count(word) for word in VERDICTS)
    applies = len(verdicts) - not_applicable
    assert [int(n) for n in sums[1:]] == [
        len(verdicts),
        not_applicable,
        applies,
        held,
        in_part,
        not_held,
    ]
