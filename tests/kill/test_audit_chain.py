"""Whoever writes, seals and removes events is killed again and again: the chain verifies always."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from portal.accounts.event_text import mark_of
from portal.accounts.models import Account, AuditEvent
from portal.audit_log import verifying
from portal.audit_log.models import AuditChain
from portal.database import current_settings, db, reading, utc_now
from tests.kill.labour import at_work
from tests.kill.own_portal import environ_of, prepared
from tests.kill.running_portal import wait_until

OLD, KILLS = 1_000, 16


def fill(account_id: int) -> None:
    """Events that are older than the account keeps them."""
    long_ago = utc_now() - timedelta(days=500)
    for number in range(OLD):
        event = AuditEvent(
            account_id=account_id,
            action="changed",
            by="form",
            object_name=f"old {number}",
            created_at=long_ago,
        )
        event.object_type = event.address = ""
        event.seal = mark_of(event, current_settings().secret_key)
        db.session.add(event)
    db.session.commit()


def verified(account_id: int) -> verifying.Found:
    """What a look at the chain finds; never a problem."""
    with reading():
        verifying.begin_looking()
        found = verifying.verify(account_id)
        db.session.rollback()
    assert not found.problem
    return found


def remove_again(account_id: int) -> None:
    """Retention is due once more."""
    due = db.update(AuditChain).where(AuditChain.number == account_id)
    db.session.execute(due.values(next_attempt_at=utc_now()))
    db.session.commit()


def is_done(account_id: int) -> bool:
    """Everything is sealed, and what is old is gone."""
    old = db.select(AuditEvent.id).where(AuditEvent.object_name.like("old %")).limit(1)
    with reading():
        is_there = db.session.scalar(old)
        db.session.rollback()
    return is_there is None and not verified(account_id).unsealed


def test_the_chain_verifies_after_any_kill_and_no_stored_event_is_lost(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    environ = environ_of(tmp_path / "data", request)
    app = prepared(environ)
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311 - no secret
    with app.app_context():
        account_id = db.session.scalars(db.select(Account.id)).one()
        fill(account_id)
        db.session.remove()
        sealed = set()
        with at_work("jobs", environ, chance) as sealer:
            with at_work("events", environ, chance) as writer:
                while sealer.kills < KILLS:
                    sealer.kill_soon(0.1, pieces=3)
                    sealed.add(verified(account_id).newest)
                    writer.kill_soon(0.02, pieces=5)
                    if sealer.kills % 5 == 0:
                        remove_again(account_id)
            print(sorted(sealed))
            told = writer.told()
            remove_again(account_id)
            wait_until(lambda: is_done(account_id), 20)
        chain = db.session.scalars(db.select(AuditChain).filter_by(number=account_id)).one()
        names = list(db.session.scalars(db.select(AuditEvent.object_name)))
        assert len(sealed) > 3, "nothing was sealed between the kills"
        assert chain.anchor_sequence >= OLD
        written = {name for name in told if "-" in name}
        assert written <= set(names)
        assert len(written) > KILLS
        assert len(names) == len(set(names))
        db.session.remove()
        db.engine.dispose()
