"""An order is in the ledger before the authority is asked for it

Revision 20261130_noted_orders, after 20261130_history_keeping.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_noted_orders"
down_revision = "20261130_history_keeping"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("certificate_orders", sa.Column("asked_line", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("certificate_orders", "asked_line")
