"""A change of the master key that is killed again and again comes to its end all the same."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from flask import Flask

from portal.accounts.models import Account
from portal.database import db
from portal.vault import current_sealer, named, rotation
from tests.kill.own_portal import PATIENCE_SECONDS, cli, environ_of, prepared

COUNT, KILLS = 1_000, 20


def older() -> int:
    db.session.rollback()
    standing = rotation.standing(db.session.connection(), current_sealer())
    db.session.rollback()
    return sum(found.older for found in standing)


def wait_for_a_step(before: int) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while before and older() == before and time.monotonic() < ends_at:
        time.sleep(0.01)


def fill(app: Flask) -> int:
    """A thousand secrets; the number of the account."""
    with app.app_context():
        account_id = db.session.scalars(db.select(Account.id)).one()
        for number in range(COUNT):
            named.make(account_id, f"s{number}", f"value {number}")
        db.session.commit()
        return account_id


def test_a_thousand_secrets_survive_twenty_kills(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    environ = environ_of(tmp_path / "data", request)
    app = prepared(environ)
    account_id = fill(app)
    assert cli(environ, "encryption-keys", "--new").wait(PATIENCE_SECONDS) == 0
    chance = random.Random(20)  # noqa: S311 - the same moments each time
    with app.app_context():
        assert older() == COUNT
        for number in range(KILLS):
            before = older()
            process = cli(environ, "encryption-keys", "--reseal")
            if number % 2:
                wait_for_a_step(before)
            else:
                time.sleep(chance.uniform(0, 3))
            process.kill()
            process.wait(PATIENCE_SECONDS)
            assert older() <= before
        assert cli(environ, "encryption-keys", "--reseal").wait(PATIENCE_SECONDS) == 0
        assert older() == 0
        assert cli(environ, "encryption-keys", "--retire").wait(PATIENCE_SECONDS) == 0
        for number in range(COUNT):
            assert named.followed(account_id, f"secret:s{number}") == f"value {number}"
        assert len(current_sealer().key_ids) == 1
        db.session.remove()
        db.engine.dispose()
