"""Tokens with which a person's programs use the API

Revision 20261130_personal_tokens, after 20261130_webhooks.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_personal_tokens"
down_revision = "20261130_webhooks"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "personal_tokens",
        sa.Column("user_profile_id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("prefix", sa.String(length=24), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("may_write", sa.Boolean(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_profile_id"],
            ["user_profiles.id"],
            name=op.f("fk_personal_tokens_user_profile_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_tokens")),
        sa.UniqueConstraint("prefix", name=op.f("uq_personal_tokens_prefix")),
    )
    for column in ("created_at", "updated_at", "user_profile_id"):
        op.create_index(f"ix_personal_tokens_{column}", "personal_tokens", [column])


def downgrade() -> None:
    op.drop_table("personal_tokens")
