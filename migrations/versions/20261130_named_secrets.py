"""Named secrets show their last four characters

Revision 20261130_named_secrets, after 20261130_external_identities.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_named_secrets"
down_revision = "20261130_external_identities"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "secrets", sa.Column("hint", sa.String(length=4), nullable=False, server_default="")
    )
