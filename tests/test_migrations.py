"""Migrations: one head, the models match, and interrupted ones leave nothing half done."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from portal import schema
from portal.database import db, prepare_engine


def test_there_is_one_head(database: None) -> None:
    scripts = ScriptDirectory.from_config(schema.configuration(db.engine))
    assert len(scripts.get_heads()) == 1


def test_every_migration_is_named_by_its_date_and_change() -> None:
    for path in (schema.MIGRATIONS / "versions").glob("*.py"):
        date, _, change = path.stem.partition("_")
        assert len(date) == 8
        assert date.isdigit()
        assert change
        assert "import portal" not in path.read_text(), "a migration must not change with the code"


def test_the_models_are_what_the_migrations_make(database: None) -> None:
    command.check(schema.configuration(db.engine))


def test_running_them_twice_changes_nothing(database: None) -> None:
    before = schema.current_revision(db.engine)
    schema.upgrade(db.engine)
    assert schema.current_revision(db.engine) == before


def test_newer_tables_are_refused_in_words(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'newer.sqlite3'}")
    prepare_engine(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('29990101_later')"))
    with pytest.raises(schema.WrongSchema, match="newer than this version"):
        schema.upgrade(engine)
    engine.dispose()


def test_a_migration_that_breaks_off_leaves_no_table(tmp_path: Path) -> None:
    """SQLite too keeps what it does to tables in one transaction."""
    engine = create_engine(f"sqlite:///{tmp_path / 'broken.sqlite3'}")
    prepare_engine(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (id INTEGER)"))  # in the way of the migration
    with pytest.raises(Exception, match="already exists"):
        schema.upgrade(engine)
    assert "accounts" not in inspect(engine).get_table_names()
    engine.dispose()
