"""Whatever order things happen in, one account holds a name and everything ends somewhere.

A history is four to eight random moves, each fortieth one forty, brought to rest and checked: real
work of real jobs on real rows, some 0.06 s of a core on SQLite and twice that on PostgreSQL. A run
makes 10,000 of them on the one and 1,000 on the other, in shares that its processes divide among
themselves; PORTAL_TEST_INTERLEAVINGS says how many instead. A seed always is the same history, and
PORTAL_TEST_SEED=17 repeats one alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from portal.database import db
from tests.people import People
from tests.stack.beginning import Beginnings
from tests.stack.lawful import wrong_at_rest, wrong_now
from tests.stack.world import World

HISTORIES = {"sqlite": 10_000, "postgresql": 1_000}
SHORT, LONG = (4, 8), 40  # moves
LONG_EACH = 40  # histories
SHARES = 25


@pytest.fixture
def quick_disk(database: None) -> Iterator[None]:
    """What a power cut would take is of no interest here."""
    _flushes("OFF")
    yield
    db.session.remove()
    _flushes("FULL")


def _flushes(how: str) -> None:
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            connection.rollback()
            raw.execute(f"PRAGMA synchronous = {how}")


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.usefixtures("quick_disk")
def test_moves_in_any_order(people: People, share: int) -> None:
    """Each history comes to rest at its end, with every state legal and one holder for the name."""
    beginnings = Beginnings()
    for seed in seeds(share):
        told: list[str] = []
        try:
            go_through(World(people, seed, beginnings), told)
        except Exception as error:
            raise AssertionError(f"seed {seed}, after {', '.join(told)}") from error


def seeds(share: int) -> range:
    """Those of one share; the one that is to be repeated belongs to the first."""
    alone = os.environ.get("PORTAL_TEST_SEED")
    if alone is not None:
        return range(int(alone), int(alone) + (share == 0))
    wanted = os.environ.get("PORTAL_TEST_INTERLEAVINGS") or HISTORIES[db.engine.dialect.name]
    each = -(-int(wanted) // SHARES)
    return range(share * each, (share + 1) * each)


def go_through(world: World, told: list[str]) -> None:
    world.told = told
    for _ in range(LONG if world.seed % LONG_EACH == 0 else world.chance.randint(*SHORT)):
        world.step()
        assert list(wrong_now()) == []
    told.append("at rest")
    world.come_to_rest()
    assert list(wrong_now()) == []
    assert list(wrong_at_rest()) == []
