"""People whom another portal vouches for

Revision 20261130_external_identities, after 20261130_passkeys.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_external_identities"
down_revision = "20261130_passkeys"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "external_identities",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_external_identities_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_identities")),
        sa.UniqueConstraint(
            "issuer", "subject", name=op.f("uq_external_identities_issuer_subject")
        ),
    )
    for column in ("created_at", "updated_at", "user_id"):
        op.create_index(f"ix_external_identities_{column}", "external_identities", [column])


def downgrade() -> None:
    op.drop_table("external_identities")
