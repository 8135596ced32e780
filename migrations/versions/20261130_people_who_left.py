"""People who left an account keep their row; guests; the account that a session looked at last

Revision 20261130_people_who_left, after 20261130_request_exports.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_people_who_left"
down_revision = "20261130_request_exports"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("user_profiles", sa.Column("removed_at", sa.DateTime(timezone=True)))
    op.add_column(
        "user_profiles",
        sa.Column("is_guest", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("user_sessions", sa.Column("account_id", BIG_ID, nullable=True))
    op.add_column("mails", sa.Column("sealed_text", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("mails", "sealed_text")
    op.drop_column("user_sessions", "account_id")
    op.drop_column("user_profiles", "is_guest")
    op.drop_column("user_profiles", "removed_at")
