"""A rotated API key knows the key that replaces it

Revision 20261121_key_successor, after 20261121_first_tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261121_key_successor"
down_revision = "20261121_first_tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("auth_tokens", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "replaced_by_id",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                nullable=True,
            )
        )


def downgrade() -> None:
    # Not in a batch: that would make the table anew and take the attachments with it on SQLite.
    op.drop_column("auth_tokens", "replaced_by_id")
