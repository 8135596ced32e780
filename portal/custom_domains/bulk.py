"""Ten thousand domains that work: asked one short question each, stored in a few statements.

Who answers as ever is put off for hours. Everybody else, and now and then anybody, gets a whole
round of checks next, which alone may say that something is wrong.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, or_, select, update

from portal.custom_domains import cadence, looks
from portal.custom_domains.models import LLMClientCustomDomain, LLMClientCustomDomainDNS
from portal.custom_domains.records import Purposes
from portal.database import current_settings, db
from portal.dns import Answer, Resolver

WHOLE_ROUND_EACH = 4  # looks; the others are short
ASKED = (Purposes.OWNERSHIP, Purposes.ROUTING)
# The table itself: rows that only say "still so" are no news for caches.
_domains = cast(Table, LLMClientCustomDomain.__table__)


@dataclass(frozen=True)
class Expected:
    """One record that has to be there; `type` is what is asked, aliases by the address."""

    name: str
    type: str
    value: str


@dataclass(frozen=True)
class Live:
    """A domain in hand."""

    id: int
    generation: int
    expected: tuple[Expected, ...]


def claim_live(custom_domain_ids: Sequence[int], now: datetime) -> list[Live]:
    """Take those that are due and free in one statement, and read what they need in another."""
    lease = now + timedelta(seconds=current_settings().job_lease_seconds)
    is_ours = (
        _domains.c.id.in_(custom_domain_ids),
        _domains.c.next_attempt_at <= now,
        _domains.c.step == looks.LIVE,
        or_(_domains.c.leased_until.is_(None), _domains.c.leased_until < now),
    )
    taken = db.session.execute(
        update(_domains)
        .where(*is_ours)
        .values(leased_until=lease, generation=_domains.c.generation + 1, attempted_at=now)
        .returning(_domains.c.id, _domains.c.generation)
    )
    generations = {row.id: row.generation for row in taken}
    expected = _expected(list(generations))
    return [
        Live(row_id, generation, tuple(expected.get(row_id, ())))
        for row_id, generation in sorted(generations.items())
    ]


def is_unchanged(live: Live, answers: Sequence[Answer]) -> bool:
    """Whether every record is as it should be, and no whole round is due. Pure.

    An answer that could not be had is not "as it should be": the whole round finds out why.
    """
    as_ever = all(
        _is_there(expected, answer) for expected, answer in zip(live.expected, answers, strict=True)
    )
    return as_ever and live.generation % WHOLE_ROUND_EACH != 0


def ask_all(resolver: Resolver, live: Sequence[Live]) -> list[list[Answer]]:
    """The answers to all expectations, in their order."""
    lookups = [(one.name, one.type) for domain in live for one in domain.expected]
    answers = iter(resolver.ask_each(lookups))
    return [[next(answers) for _ in domain.expected] for domain in live]


def keep(live: Sequence[Live], same: Sequence[Live], now: datetime) -> None:
    """Put off what is as ever; let the others have a whole round at once."""
    put_off = {one.id for one in same}
    if same:
        _put_off(same, now)
    changed = [one.id for one in live if one.id not in put_off]
    if changed:
        db.session.execute(
            update(_domains)
            .where(_domains.c.id.in_(changed), _domains.c.step == looks.LIVE)
            .values(leased_until=None, next_attempt_at=now, step=looks.SETTING_UP)
        )


def _put_off(same: Sequence[Live], now: datetime) -> None:
    statement = (
        update(_domains)
        .where(_domains.c.id == bindparam("row_id"))
        .where(_domains.c.generation == bindparam("own_generation"))
        .values(leased_until=None, checked_at=now, next_attempt_at=bindparam("again_at"))
    )
    db.session.execute(
        statement,
        [
            {
                "row_id": one.id,
                "own_generation": one.generation,
                "again_at": cadence.next_live_look(now, random.random()),  # noqa: S311
            }
            for one in same
        ],
    )


def _expected(custom_domain_ids: list[int]) -> dict[int, list[Expected]]:
    table = LLMClientCustomDomainDNS
    query = (
        select(table.custom_domain_id, table.record_name, table.record_type, table.record_value)
        .where(table.custom_domain_id.in_(custom_domain_ids), table.is_required)
        .where(table.purpose.in_(ASKED))
        .order_by(table.id)
    )
    found: dict[int, list[Expected]] = {}
    for row_id, name, type, value in db.session.execute(query):
        kind = "A" if type == "CNAME" else type
        found.setdefault(row_id or 0, []).append(Expected(name, kind, value))
    return found


def _is_there(expected: Expected, answer: Answer) -> bool:
    if answer.status == "could_not_ask":
        return False
    if expected.type == "TXT":
        return expected.value in answer.values
    wanted = set(expected.value.split())
    return expected.value in answer.alias or (bool(answer.values) and set(answer.values) <= wanted)
