"""Reading a statement: one SELECT, its names outside of quotes, and nothing that hides another."""

from __future__ import annotations

import pytest

from portal.plugins.parameters import PluginError
from portal.plugins.statements import read

pytestmark = pytest.mark.engine_independent


@pytest.mark.parametrize(
    ("text", "names", "postgresql"),
    [
        ("SELECT 1", (), "SELECT 1"),
        ("  select :a, :b, :a ;\n", ("a", "b"), "select %(a)s, %(b)s, %(a)s"),
        ("SELECT x::text FROM t WHERE y = :y", ("y",), "SELECT x::text FROM t WHERE y = %(y)s"),
        ("SELECT ':no', \":no\" FROM t", (), "SELECT ':no', \":no\" FROM t"),
        ("SELECT 'it''s :no' || :yes", ("yes",), "SELECT 'it''s :no' || %(yes)s"),
        ("SELECT * FROM t WHERE n LIKE 'a%'", (), "SELECT * FROM t WHERE n LIKE 'a%%'"),
        ("SELECT 1 -- :no; DELETE FROM t\n+ :x", ("x",), "SELECT 1  \n+ %(x)s"),
        ("SELECT 1 /* ; ' */ + 1", (), "SELECT 1   + 1"),
        ("SELECT 1 -/**/- 1", (), "SELECT 1 - - 1"),
        ("-- a comment first\nSELECT 1", (), "SELECT 1"),
        ("WITH t AS (SELECT 1) SELECT * FROM t", (), "WITH t AS (SELECT 1) SELECT * FROM t"),
        ("SELECT ';'", (), "SELECT ';'"),
    ],
)
def test_names_become_bound_parameters(text: str, names: tuple[str, ...], postgresql: str) -> None:
    statement = read(text)
    assert statement.names == names
    assert statement.for_postgresql() == postgresql


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "begin with SELECT"),
        (";", "begin with SELECT"),
        ("DELETE FROM t", "begin with SELECT"),
        ("EXPLAIN SELECT 1", "begin with SELECT"),
        ("(SELECT 1)", "begin with SELECT"),
        ("/* SELECT */ DROP TABLE t", "begin with SELECT"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("SELECT 1;; DELETE FROM t", "more than one statement"),
        ("SELECT 1) q; DELETE FROM t --", "parentheses"),
        ("SELECT 1) q UNION SELECT (2", "parentheses"),
        ("SELECT (1", "parentheses"),
        ("SELECT $$;$$", "cannot have $"),
        ("SELECT E'\\''; DELETE FROM t --'", "letters before its quote"),
        ("SELECT 'open", "not closed"),
        ('SELECT "open', "not closed"),
        ("SELECT `x`", "double quotes"),
        ("SELECT 1 \\; 2", "cannot have \\"),
        ("SELECT '" + "x" * 10_000 + "'", "at most 10,000"),
    ],
)
def test_anything_else_is_refused_in_words(text: str, sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence.replace("\\", "\\\\").replace("$", "\\$")):
        read(text)


def test_reading_is_linear() -> None:
    for text in ("SELECT " + "/*" * 4_900, "SELECT " + "''" * 4_900, "SELECT " + "(" * 9_000):
        with pytest.raises(PluginError):
            read(text + "'")
