"""Until when a password that the portal itself has made opens the portal

Revision 20261130_first_passwords, after 20261130_api_replays.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_first_passwords"
down_revision = "20261130_api_replays"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("first_password_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("users", "first_password_until")
