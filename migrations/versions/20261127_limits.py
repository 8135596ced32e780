"""Limits and budgets, what was used of them, and what a prompt under way reserved

Revision 20261127_limits, after 20261127_allowed_origins.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_limits"
down_revision = "20261127_allowed_origins"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _limits()
    _budget_uses()
    _budget_reservations()
    with op.batch_alter_table("request_rollups") as rollups:
        rollups.add_column(
            sa.Column("cost_micros", sa.BigInteger(), server_default="0", nullable=False)
        )
    with op.batch_alter_table("llm_clients") as llm_clients:
        for name, length in (("fallback_provider", 60), ("fallback_model", 200)):
            llm_clients.add_column(
                sa.Column(name, sa.String(length=length), server_default="", nullable=False)
            )


def _columns() -> list[sa.Column]:
    return [
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _rules(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=f"fk_{table}_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])


def _limits() -> None:
    op.create_table(
        "limits",
        *_columns(),
        sa.Column(
            "kind",
            sa.Enum(
                "account",
                "client",
                "key",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("subject_id", BIG_ID, nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=True)
            for name in ("address_rate", "session_rate", "key_rate", "concurrent")
        ),
        *(
            sa.Column(name, sa.BigInteger(), nullable=True)
            for name in ("day_tokens", "day_micros", "month_tokens", "month_micros")
        ),
        sa.Column("reached_words", sa.Text(), nullable=False),
        sa.Column("cheaper_provider", sa.String(length=60), nullable=False),
        sa.Column("cheaper_model", sa.String(length=200), nullable=False),
        *_rules("limits"),
        sa.UniqueConstraint("kind", "subject_id", name="uq_limits_kind_subject_id"),
    )
    _index("limits", "account_id", "created_at", "updated_at")


def _budget_uses() -> None:
    op.create_table(
        "budget_uses",
        *_columns(),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("subject_id", BIG_ID, nullable=False),
        sa.Column("period", sa.String(length=5), nullable=False),
        sa.Column("starts_on", sa.String(length=10), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            for name in ("tokens", "micros", "reserved_tokens", "reserved_micros")
        ),
        *(
            sa.Column(name, sa.Integer(), server_default="0", nullable=False)
            for name in ("level", "told_level", "attempt", "generation", "broken_off")
        ),
        sa.Column("step", sa.String(length=40), server_default="", nullable=False),
        sa.Column("message", sa.String(length=1000), server_default="", nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            for name in ("next_attempt_at", "leased_until", "attempted_at")
        ),
        *_rules("budget_uses"),
        sa.UniqueConstraint(
            "kind",
            "subject_id",
            "period",
            "starts_on",
            name="uq_budget_uses_kind_subject_id_period_starts_on",
        ),
    )
    _index("budget_uses", "account_id", "created_at", "updated_at", "next_attempt_at")


def _budget_reservations() -> None:
    op.create_table(
        "budget_reservations",
        *_columns(),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("uses", sa.JSON(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        *_rules("budget_reservations"),
        sa.UniqueConstraint("request_id", name="uq_budget_reservations_request_id"),
    )
    _index("budget_reservations", "account_id", "created_at", "updated_at", "expires_at")


def downgrade() -> None:
    raise NotImplementedError("What was used is not thrown away.")
