"""Second factors: an app's key, recovery codes, and accounts that want them

Revision 20261130_second_factors, after 20261130_links_by_mail.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_second_factors"
down_revision = "20261130_links_by_mail"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "totp_factors",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        *_own_columns(),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_totp_factors_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_totp_factors")),
        sa.UniqueConstraint("user_id", name=op.f("uq_totp_factors_user_id")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        *_own_columns(),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    for column in ("created_at", "updated_at"):
        op.create_index(f"ix_totp_factors_{column}", "totp_factors", [column])
    for column in ("created_at", "updated_at", "user_id"):
        op.create_index(f"ix_recovery_codes_{column}", "recovery_codes", [column])
    op.add_column(
        "accounts",
        sa.Column(
            "requires_second_factor", sa.Boolean(), nullable=False, server_default=sa.false()
        ),
    )
    op.drop_column("users", "second_factor")


def _own_columns() -> list[sa.Column]:
    return [
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    ]


def downgrade() -> None:
    op.add_column("users", sa.Column("second_factor", sa.JSON(), nullable=True))
    op.drop_column("accounts", "requires_second_factor")
    op.drop_table("recovery_codes")
    op.drop_table("totp_factors")
