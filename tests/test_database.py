"""What every connection of the portal is set to."""

from __future__ import annotations

from portal.database import db
from tests.planes import Planes


def test_postgresql_compiles_nothing_and_sqlite_keeps_nothing_that_was_erased(
    planes: Planes,
) -> None:
    with planes.worker.app_context():
        if db.engine.dialect.name != "postgresql":
            assert db.session.scalar(db.text("PRAGMA secure_delete")) == 1
            return
        for _ in range(2):
            assert db.session.scalar(db.text("SHOW jit")) == "off"
            db.session.rollback()
