"""How Alembic reaches our database: by the engine that it is handed."""

import re
from typing import Any

from alembic import context

import portal.app  # noqa: F401 - imports every table
from portal.database import db

config = context.config
engine = config.attributes["engine"]


# The words that are searched for, with SQLite's tables under them, and PostgreSQL's partitions.
NO_MODEL = re.compile(
    r"request_search.*|(llm_client_requests|llm_client_request_bodies)_(rest|\d{6})"
)


def is_compared(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """Not what has no model or is for PostgreSQL only; nor a reference that joined its table later,
    of which SQLite tells neither the name nor the rule."""
    if kind == "index" and item.info.get("postgresql_only"):
        return engine.dialect.name == "postgresql"
    if kind == "table" and reflected and NO_MODEL.fullmatch(name or ""):
        return False
    if kind != "foreign_key_constraint" or engine.dialect.name != "sqlite":
        return True
    later = any(element.info.get("joined_later") for element in item.elements)
    return not later and not (reflected and name is None)


with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=True,
        compare_type=True,
        include_object=is_compared,
        transaction_per_migration=True,
        transactional_ddl=True,  # SQLite too: we begin its transactions ourselves
    )
    with context.begin_transaction():
        context.run_migrations()
