"""From which networks keys are used

Revision 20261130_key_networks, after 20261130_notice_rounds.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_key_networks"
down_revision = "20261130_notice_rounds"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
TABLE = "api_key_networks"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("api_key_id", BIG_ID, nullable=False),
        sa.Column("network_hash", sa.String(length=64), nullable=False),
        sa.Column("looked_at", TIME, nullable=True),
        sa.Column("told_at", TIME, nullable=True),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"],
            ["auth_tokens.id"],
            name=f"fk_{TABLE}_api_key_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TABLE}"),
        sa.UniqueConstraint(
            "api_key_id", "network_hash", name=f"uq_{TABLE}_api_key_id_network_hash"
        ),
    )
    for column in ("created_at", "updated_at", "looked_at"):
        op.create_index(f"ix_{TABLE}_{column}", TABLE, [column])


def downgrade() -> None:
    op.drop_table(TABLE)
