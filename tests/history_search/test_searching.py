"""Substrings of any script over question, answer, error and session key, on both databases."""

from __future__ import annotations

import pytest

from portal.database import db
from portal.history_search import index, listing
from portal.history_search.jobs import forget
from portal.request_history.models import RequestToIndex
from tests.history_search.conftest import History

SAID = {
    "latin": ("Was kostet ein Familienticket?", "22 Euro für zwei Erwachsene."),
    "arabic": ("مرحبا بالعالم", "أهلا وسهلا"),
    "chinese": ("博物館今天開門嗎", "今天十點開門"),
    "emoji": ("Great 🎟️🎟️🎟️ museum 👩‍👩‍👧", "👍🏽 thanks"),
    "code": ('100% of "it\'s" a_b C:\\temp', "<b>bold</b> & more"),
}
SEARCHES = [
    ("familienticket", "latin"),
    ("FAMILIENTICKET", "latin"),
    ("nticke", "latin"),
    ("erwachsene kostet", "latin"),
    ('"euro für zwei"', "latin"),
    ("بالعا", "arabic"),
    ("وسهلا", "arabic"),
    ("今天開門", "chinese"),
    ("十點", "chinese"),
    ("🎟️🎟️", "emoji"),
    ("👍🏽", "emoji"),
    ("👩‍👩‍👧", "emoji"),
    ("100%", "code"),
    ("a_b", "code"),
    ("c:\\temp", "code"),
    ('"it\'s" a_b', "code"),
    ("<b>bold", "code"),
    ("hu", None),
    ("familienticket 博物館", None),
    ("zwei euro für", None),
    ("a%b", None),
]


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "just recorded"])
def test_every_script_is_found(history: History, indexed: bool) -> None:
    numbers = {
        name: history.write(question, answer, indexed=indexed)
        for name, (question, answer) in SAID.items()
    }
    phrase = history.write("zwei für", "euro", indexed=indexed)
    for typed, name in SEARCHES:
        expected = [numbers[name]] if name else []
        if typed == "zwei euro für":
            expected = [phrase, numbers["latin"]]
        assert history.found(q=typed) == expected, typed


def test_errors_and_session_keys_are_found(history: History) -> None:
    failed = history.write(status=502, error_text="The provider is overloaded", session_key="f00d")
    history.write()
    assert history.found(q="overload") == [failed]
    assert history.found(q="f00d") == [failed]


def test_a_search_keeps_to_account_range_and_filters(history: History) -> None:
    history.write("a secret word", person=history.people.charlie)
    mine = history.write("a secret word", mode="custom")
    history.write("a secret word", mode="default")
    assert history.found(q="secret", mode="custom") == [mine]
    assert history.found(q="secret", range="", **{"from": "2026-11-01", "to": "2026-11-02"}) == []
    assert len(history.found(q="secret", person=history.people.charlie)) == 1


def test_what_others_said_hides_nothing(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newer requests of another account with the same word, more than are looked at together."""
    monkeypatch.setattr(index, "AT_ONCE", 5)
    monkeypatch.setattr(listing, "AT_ONCE", 5)
    mine = [history.write("a needle", indexed=False) for _ in range(3)]
    for _ in range(11):
        history.write("a needle", person=history.people.charlie, indexed=False)
    mine.append(history.write("another needle"))
    assert history.found(q="needle") == mine[::-1]
    assert len(history.found(q="needle", person=history.people.charlie)) == 11


def test_hits_come_in_pages(history: History) -> None:
    numbers = [history.write(f"needle {number}", indexed=False) for number in range(120)]
    seen: list[int] = []
    before = ""
    while True:
        page = history.page(q="needle", before=before)
        seen += [row.id for row in page.rows]
        if page.older is None:
            break
        before = page.older
    assert seen == numbers[::-1]


def test_short_terms_are_looked_for_row_by_row_and_say_so(history: History) -> None:
    found = history.write("Is it no. 7?")
    history.write("Is it one?")
    page = history.page(q="7")
    assert [row.id for row in page.rows] == [found]
    assert page.is_walked
    assert not history.page(q="museum").is_walked or not index.index_of(
        db.session.connection()
    ).can_find(db.session.connection(), ("museum",))


def test_a_search_that_would_look_too_long_stops_and_goes_on(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_ROWS", 20)
    monkeypatch.setattr(listing, "AT_ONCE", 10)
    oldest = history.write("no. 7", indexed=False)
    for _ in range(45):
        history.write("nothing", indexed=False)
    page = history.page(q="7")
    assert page.rows == []
    assert page.looked_to is not None
    rounds = 0
    while page.older is not None and not page.rows:
        page = history.page(q="7", before=page.older)
        rounds += 1
    assert [row.id for row in page.rows] == [oldest]
    assert rounds == 2


def test_what_was_just_recorded_stands_where_its_time_is(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In portions too, and below what is walked over; each request once."""
    monkeypatch.setattr(index, "AT_ONCE", 3)
    monkeypatch.setattr(index, "THEN_AT_ONCE", 2)
    monkeypatch.setattr(index, "WALKED", 4)
    numbers = []
    for number in range(12):
        numbers.append(history.write(f"needle {number}", indexed=False))
        if number in (5, 9):
            history.write("nothing")
    assert history.found(q="needle") == numbers[::-1]
    hunt = index.Hunt(history.people.alice.account_id, None, ("needle",), 0, numbers[8])
    found = index.index_of(db.session.connection())
    assert list(found.find(db.session.connection(), hunt)) == numbers[7::-1]


def test_what_is_indexed_waits_no_more(history: History) -> None:
    for _ in range(3):
        history.write(indexed=False)
    assert len(db.session.scalars(db.select(RequestToIndex.id)).all()) == 3
    history.write()
    assert db.session.scalars(db.select(RequestToIndex.id)).all() == []


@pytest.mark.parametrize("indexed", [True, False])
def test_what_is_forgotten_is_not_found(history: History, indexed: bool) -> None:
    gone = history.write("a needle", indexed=indexed)
    kept = history.write("a needle too", indexed=indexed)
    forget(db.session.connection(), [gone])
    db.session.commit()
    found = index.index_of(db.session.connection())
    hunt = index.Hunt(history.people.alice.account_id, None, ("needle",), 0)
    known = list(found.find(db.session.connection(), hunt))
    assert known == [kept]
    waiting = db.session.scalars(db.select(RequestToIndex.id)).all()
    assert waiting == ([] if indexed else [kept])
    if db.engine.dialect.name == "sqlite":
        db.session.execute(
            db.text("INSERT INTO request_search (request_search) VALUES ('integrity-check')")
        )


def test_postgresql_has_an_index_of_trigrams_where_the_server_can(history: History) -> None:
    if db.engine.dialect.name == "sqlite":
        return
    can = db.session.scalar(
        db.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
    )
    there = db.session.scalar(db.text("SELECT to_regclass('ix_request_search_words') IS NOT NULL"))
    assert there == bool(can)
