"""At which mark people were told that a seen certificate runs out

Revision 20261130_seen_warned, after 20261130_audit_checks.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_seen_warned"
down_revision = "20261130_audit_checks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("seen_certificates") as table:
        table.add_column(
            sa.Column("warned_days", sa.Integer(), server_default="10000", nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("seen_certificates") as table:
        table.drop_column("warned_days")
