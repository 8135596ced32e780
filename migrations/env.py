"""How Alembic reaches our database: by the engine that it is handed."""

from alembic import context

import portal.app  # noqa: F401 - imports every table
from portal.database import db

config = context.config
engine = config.attributes["engine"]

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=True,
        transactional_ddl=True,  # SQLite too: we begin its transactions ourselves
    )
    with context.begin_transaction():
        context.run_migrations()
