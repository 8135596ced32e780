"""What an account hides in its history

Revision 20261130_redaction, after 20261130_seen_certificates.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_redaction"
down_revision = "20261130_seen_certificates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("redaction", sa.JSON(), server_default="{}", nullable=False))
