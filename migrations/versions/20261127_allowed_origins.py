"""Clients name the pages that may embed them

Revision 20261127_allowed_origins, after 20261121_provider_checks.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_allowed_origins"
down_revision = "20261121_provider_checks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("llm_clients") as llm_clients:
        llm_clients.add_column(
            sa.Column("allowed_origins", sa.JSON(), server_default="[]", nullable=False)
        )


def downgrade() -> None:
    raise NotImplementedError("Without its list a client would open to every page.")
