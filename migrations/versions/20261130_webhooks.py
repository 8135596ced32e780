"""Webhooks and what is sent to them

Revision 20261130_webhooks, after 20261130_notices.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_webhooks"
down_revision = "20261130_notices"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
WEBHOOKS, DELIVERIES = "webhooks", "webhook_deliveries"


def upgrade() -> None:
    op.create_table(
        WEBHOOKS,
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("sealed_secret", "sealed_old_secret")
        ),
        *(sa.Column(name, TIME, nullable=True) for name in ("old_secret_until", "failing_since")),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("off_reason", sa.String(length=255), nullable=False),
        *_own_columns(),
        _of(WEBHOOKS, "account_id", "accounts", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{WEBHOOKS}"),
    )
    _index(WEBHOOKS, "account_id")
    _make_deliveries()


def _make_deliveries() -> None:
    op.create_table(
        DELIVERIES,
        sa.Column("webhook_id", BIG_ID, nullable=False),
        sa.Column("notice_id", BIG_ID, nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("delivered_at", TIME, nullable=True),
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
        *_own_columns(),
        _of(DELIVERIES, "webhook_id", WEBHOOKS, "CASCADE"),
        _of(DELIVERIES, "notice_id", "notices", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{DELIVERIES}"),
        sa.UniqueConstraint("message_id", name=f"uq_{DELIVERIES}_message_id"),
    )
    _index(DELIVERIES, "next_attempt_at", "notice_id")
    op.create_index(f"ix_{DELIVERIES}_webhook_id_id", DELIVERIES, ["webhook_id", "id"])


def _of(table: str, column: str, other: str, rule: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=f"fk_{table}_{column}", ondelete=rule
    )


def _index(table: str, *columns: str) -> None:
    for column in ("created_at", "updated_at", *columns):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _own_columns() -> list[sa.Column]:
    return [
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    ]


def downgrade() -> None:
    op.drop_table(DELIVERIES)
    op.drop_table(WEBHOOKS)
