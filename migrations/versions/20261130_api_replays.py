"""What the API has answered to requests that may be sent again

Revision 20261130_api_replays, after 20261130_key_networks.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_api_replays"
down_revision = "20261130_key_networks"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_replays",
        sa.Column("personal_token_id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("asked_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("location", sa.String(length=300), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["personal_token_id"],
            ["personal_tokens.id"],
            name=op.f("fk_api_replays_personal_token_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_replays")),
        sa.UniqueConstraint(
            "personal_token_id", "key", name=op.f("uq_api_replays_personal_token_id_key")
        ),
    )
    for column in ("created_at", "updated_at"):
        op.create_index(f"ix_api_replays_{column}", "api_replays", [column])


def downgrade() -> None:
    op.drop_table("api_replays")
