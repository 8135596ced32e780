"""What a handshake showed of certificates that somebody else keeps

Revision 20261130_seen_certificates, after 20261130_noted_orders.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_seen_certificates"
down_revision = "20261130_noted_orders"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "seen_certificates",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("hostname", sa.String(length=253), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("not_before", TIME, nullable=False),
        sa.Column("not_after", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("broken_off", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=True),
        sa.Column("leased_until", TIME, nullable=True),
        sa.Column("attempted_at", TIME, nullable=True),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_seen_certificates_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seen_certificates")),
        sa.UniqueConstraint("hostname", name=op.f("uq_seen_certificates_hostname")),
    )
    for column in ("account_id", "created_at", "next_attempt_at", "updated_at"):
        op.create_index(f"ix_seen_certificates_{column}", "seen_certificates", [column])


def downgrade() -> None:
    op.drop_table("seen_certificates")
