"""Passkeys, and the challenges that they have answered

Revision 20261130_passkeys, after 20261130_second_factors.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_passkeys"
down_revision = "20261130_second_factors"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "passkeys",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("credential_hash", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("user_handle", sa.String(length=100), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        *_own_columns(),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_passkeys_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_hash", name=op.f("uq_passkeys_credential_hash")),
    )
    op.create_table(
        "used_challenges",
        sa.Column("challenge_hash", sa.String(length=64), nullable=False),
        *_own_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_challenges")),
        sa.UniqueConstraint("challenge_hash", name=op.f("uq_used_challenges_challenge_hash")),
    )
    for column in ("created_at", "updated_at", "user_id"):
        op.create_index(f"ix_passkeys_{column}", "passkeys", [column])
    for column in ("created_at", "updated_at"):
        op.create_index(f"ix_used_challenges_{column}", "used_challenges", [column])


def _own_columns() -> list[sa.Column]:
    return [
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    ]


def downgrade() -> None:
    op.drop_table("used_challenges")
    op.drop_table("passkeys")
