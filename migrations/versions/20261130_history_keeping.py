"""What looks after the history, and what is to be erased from it

Revision 20261130_history_keeping, after 20261130_history_apart.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_history_keeping"
down_revision = "20261130_history_apart"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    table = "history_upkeeps"
    op.create_table(
        table,
        sa.Column("account_id", BIG_ID, nullable=True),
        *_of_every_row(),
        _of_account(table),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("account_id", name=f"uq_{table}_account_id"),
    )
    _index(table)
    table = "history_erasures"
    op.create_table(
        table,
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "session",
                "visitor",
                "client",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("erased", sa.Integer(), nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        *_of_every_row(),
        _of_account(table),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=f"fk_{table}_user_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    _index(table)
    op.create_index(f"ix_{table}_account_id", table, ["account_id"])


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


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id"], ["accounts.id"], name=f"fk_{table}_account_id", ondelete="CASCADE"
    )


def _index(table: str) -> None:
    for column in ("created_at", "updated_at", "next_attempt_at"):
        op.create_index(f"ix_{table}_{column}", table, [column])
