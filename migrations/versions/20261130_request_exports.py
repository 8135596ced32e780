"""Requests that somebody wants as a file

Revision 20261130_request_exports, after 20261130_saved_views.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_request_exports"
down_revision = "20261130_saved_views"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
TABLE = "request_exports"
STATES = ("writing", "ready", "cancelled", "failed", "expired", "withdrawn")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=True),
        sa.Column("format", _words("format", "csv", "jsonl"), nullable=False),
        sa.Column("state", _words("state", *STATES), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("cursor", "rows_written", "bytes_written")
        ),
        sa.Column("expected_rows", sa.BigInteger(), nullable=True),
        sa.Column("file_name", sa.String(length=80), nullable=False),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        *_of_every_row(),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=f"fk_{TABLE}_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=f"fk_{TABLE}_user_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TABLE}"),
    )
    for column in ("created_at", "updated_at", "next_attempt_at", "account_id"):
        op.create_index(f"ix_{TABLE}_{column}", TABLE, [column])


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=20)


def _of_every_row() -> list[sa.Column]:
    return [
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("attempt", "generation", "broken_off")
        ),
        *(
            sa.Column(name, TIME, nullable=True)
            for name in ("next_attempt_at", "leased_until", "attempted_at")
        ),
        sa.Column("message", sa.String(length=1000), nullable=False),
    ]
