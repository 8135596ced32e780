"""Lists of requests under a name

Revision 20261130_saved_views, after 20261130_redaction.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_saved_views"
down_revision = "20261130_redaction"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("user_profile_id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_saved_views_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_profile_id"],
            ["user_profiles.id"],
            name=op.f("fk_saved_views_user_profile_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    op.create_index("ix_saved_views_account_id_name", "saved_views", ["account_id", "name"])
    for column in ("created_at", "updated_at", "user_profile_id"):
        op.create_index(f"ix_saved_views_{column}", "saved_views", [column])


def downgrade() -> None:
    op.drop_table("saved_views")
