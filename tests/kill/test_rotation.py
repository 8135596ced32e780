"""A change of the master key that is killed again and again comes to its end all the same."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask

from portal.accounts.models import Account
from portal.app import create_worker_app
from portal.database import db
from portal.settings import Settings
from portal.vault import current_sealer, named, rotation

COUNT, KILLS = 1_000, 20
PATIENCE_SECONDS = 60


def environ_of(folder: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """A portal of its own on this run's engine."""
    found = {**os.environ, "PORTAL_DATA_DIR": str(folder), "PORTAL_ADMIN_PASSWORD": "p" * 20}
    found.pop("DATABASE_URL", None)
    if request.config.getoption("--database") == "postgresql":
        found["DATABASE_URL"] = str(request.getfixturevalue("own_postgres_url"))
    return found


def cli(environ: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "portal.cli", *words]
    return subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


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
    assert cli(environ, "prepare").wait(PATIENCE_SECONDS) == 0
    app = create_worker_app(Settings.from_environ(environ))
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
