"""Links that are sent by mail: a new password, another address

Revision 20261130_links_by_mail, after 20261130_invitations.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_links_by_mail"
down_revision = "20261130_invitations"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "one_time_links",
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "password",
                "mail",
                name="link_purpose",
                native_enum=False,
                length=20,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("bound_to", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        *_own_columns(),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_one_time_links_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_links_token_hash")),
    )
    op.create_table(
        "password_wishes",
        sa.Column("typed", sa.String(length=254), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("broken_off", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=True),
        sa.Column("leased_until", TIME, nullable=True),
        sa.Column("attempted_at", TIME, nullable=True),
        sa.Column("message", sa.String(length=1000), nullable=False),
        *_own_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_wishes")),
    )
    for column in ("created_at", "updated_at", "user_id"):
        op.create_index(f"ix_one_time_links_{column}", "one_time_links", [column])
    for column in ("created_at", "next_attempt_at", "updated_at"):
        op.create_index(f"ix_password_wishes_{column}", "password_wishes", [column])
    op.create_index("ix_users_email", "users", ["email"])


def _own_columns() -> list[sa.Column]:
    return [
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    ]


def downgrade() -> None:
    op.drop_index("ix_users_email", "users")
    op.drop_table("password_wishes")
    op.drop_table("one_time_links")
