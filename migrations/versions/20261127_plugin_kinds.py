"""Plugins have search terms, a sealed secret and a test

Revision 20261127_plugin_kinds, after 20261127_client_images.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_plugin_kinds"
down_revision = "20261127_client_images"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("plugins") as plugins:
        plugins.add_column(
            sa.Column("search_terms", sa.JSON(), server_default="[]", nullable=False)
        )
        plugins.add_column(sa.Column("sealed_secret", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "plugin_tests",
        sa.Column("plugin_id", BIG_ID, nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("is_cut", sa.Boolean(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("tested_at", TIME, nullable=True),
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
            ["plugin_id"],
            ["plugins.id"],
            name=op.f("fk_plugin_tests_plugin_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_tests")),
        sa.UniqueConstraint("plugin_id", name=op.f("uq_plugin_tests_plugin_id")),
    )
    for column in ("created_at", "next_attempt_at", "updated_at"):
        op.create_index(f"ix_plugin_tests_{column}", "plugin_tests", [column])


def downgrade() -> None:
    raise NotImplementedError("Plugins and their secrets are not thrown away.")
