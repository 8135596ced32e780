"""Providers remember when their key was tested and what came of it

Revision 20261121_provider_checks, after 20261121_key_successor.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261121_provider_checks"
down_revision = "20261121_key_successor"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("providers") as providers:
        providers.add_column(
            sa.Column("check_state", sa.String(length=10), server_default="", nullable=False)
        )
        providers.add_column(sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
        providers.add_column(
            sa.Column("found_models", sa.JSON(), server_default="[]", nullable=False)
        )
        providers.add_column(
            sa.Column("step", sa.String(length=40), server_default="", nullable=False)
        )
        for name in ("attempt", "generation", "broken_off"):
            providers.add_column(sa.Column(name, sa.Integer(), server_default="0", nullable=False))
        for name in ("next_attempt_at", "leased_until", "attempted_at"):
            providers.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
        providers.add_column(
            sa.Column("message", sa.String(length=1000), server_default="", nullable=False)
        )
        providers.create_index("ix_providers_next_attempt_at", ["next_attempt_at"])


def downgrade() -> None:
    raise NotImplementedError("What a test of a key told is not thrown away.")
