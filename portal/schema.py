"""Bringing the tables to this version of the code, and refusing to run on any other."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from portal.errors import PortalError

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class WrongSchema(PortalError):
    """The tables are of another version than the code."""


def configuration(engine: Engine) -> Config:
    """Alembic's settings for one engine."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine) -> None:
    """Run what is missing, each migration in a transaction. Raises WrongSchema for newer tables."""
    config = configuration(engine)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    present = current_revision(engine)
    if present is not None and present not in known:
        raise WrongSchema(
            f"The database is newer than this version of the portal (it is at {present})."
        )
    command.upgrade(config, "head")


def current_revision(engine: Engine) -> str | None:
    """The version of the tables; None for an empty database."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
