"""Logos and backgrounds that were uploaded, and which of them a client shows

Revision 20261127_client_images, after 20261127_limits.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_client_images"
down_revision = "20261127_limits"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "client_images",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_client_images_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_images")),
        sa.UniqueConstraint(
            "account_id", "sha256", name=op.f("uq_client_images_account_id_sha256")
        ),
    )
    op.create_index("ix_client_images_created_at", "client_images", ["created_at"])
    op.create_index("ix_client_images_updated_at", "client_images", ["updated_at"])
    with op.batch_alter_table("llm_clients") as llm_clients:
        for name in ("app_logo_upload", "app_background_upload"):
            llm_clients.add_column(
                sa.Column(name, sa.String(length=64), server_default="", nullable=False)
            )


def downgrade() -> None:
    raise NotImplementedError("Uploaded images are not thrown away.")
