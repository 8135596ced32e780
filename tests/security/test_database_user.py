"""The web's own user of the database may read and write rows, and nothing else (ASVS 13.2.2)."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from portal.database import db
from tests.people import People
from tests.planes import WEB_USER, Planes

FORBIDDEN = (
    "CREATE TABLE mine (a integer)",
    "ALTER TABLE users ADD COLUMN a integer",
    "DROP TABLE audit_events",
    "TRUNCATE audit_events",
    "UPDATE alembic_version SET version_num = 'x'",
    "CREATE ROLE mine SUPERUSER",
    "COPY users TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/hostname')",
)


@pytest.fixture(autouse=True)
def on_postgresql(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--database") != "postgresql":
        pytest.skip("SQLite has no users")


@pytest.mark.parametrize("plane", ["admin", "serving", "internal", "api"])
def test_every_plane_of_the_web_is_that_user(plane: str, planes: Planes) -> None:
    with getattr(planes, plane).app_context():
        assert db.session.scalar(text("SELECT current_user")) == WEB_USER


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_it_changes_no_table_and_reads_no_file(
    statement: str, planes: Planes, people: People
) -> None:
    with planes.admin.app_context(), pytest.raises(ProgrammingError, match="InsufficientPriv"):
        db.session.execute(text(statement))
