"""The audit log as a chain: seals, heads, how long it is kept

Revision 20261130_audit_chains, after 20261130_named_secrets.

Events that are there already are sealed by the worker, in the order of their numbers.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_audit_chains"
down_revision = "20261130_named_secrets"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
TABLE = "audit_chains"
UNSEALED = sa.text("sequence IS NULL")
EVENTS = {
    "created_at": ["account_id", "created_at", "id"],
    "object": ["account_id", "object_type", "object_id", "id"],
    "sequence": ["account_id", "sequence"],
}


def upgrade() -> None:
    op.add_column("audit_events", sa.Column("sequence", BIG_ID, nullable=True))
    op.add_column(
        "audit_events",
        sa.Column("seal", sa.String(length=64), nullable=False, server_default=""),
    )
    for name, columns in EVENTS.items():
        op.create_index(f"ix_audit_events_account_id_{name}", "audit_events", columns)
    op.create_index(
        "ix_audit_events_unsealed",
        "audit_events",
        ["account_id"],
        sqlite_where=UNSEALED,
        postgresql_where=UNSEALED,
    )
    op.add_column(
        "accounts", sa.Column("audit_days", sa.Integer(), nullable=False, server_default="400")
    )
    op.create_table(
        TABLE,
        sa.Column("number", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=True),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("unmarked_to", BIG_ID, nullable=False),
        sa.Column("sequence", BIG_ID, nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("anchor_sequence", BIG_ID, nullable=False),
        sa.Column("anchor_seal", sa.String(length=64), nullable=False),
        sa.Column("anchor_at", TIME, nullable=True),
        sa.Column("mac", sa.String(length=64), nullable=False),
        *_of_every_row(),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=f"fk_{TABLE}_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TABLE}"),
        sa.UniqueConstraint("number", name=f"uq_{TABLE}_number"),
    )
    for column in ("created_at", "updated_at", "next_attempt_at"):
        op.create_index(f"ix_{TABLE}_{column}", TABLE, [column])


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
