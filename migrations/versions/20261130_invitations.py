"""Invitations into an account

Revision 20261130_invitations, after 20261130_people_who_left.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_invitations"
down_revision = "20261130_people_who_left"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
ROLES = ("admin", "member", "viewer")


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                *ROLES, name="invited_role", native_enum=False, length=20, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by_id", BIG_ID, nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("accepted_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_invitations_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"],
            ["users.id"],
            name=op.f("fk_invitations_invited_by_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    op.create_index("ix_invitations_account_id_id", "invitations", ["account_id", "id"])
    for column in ("created_at", "updated_at"):
        op.create_index(f"ix_invitations_{column}", "invitations", [column])


def downgrade() -> None:
    op.drop_table("invitations")
