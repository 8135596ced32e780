"""Which file an image was drawn from, so that a manifest with that file finds it again

Of images that are there already it is not known.

Revision 20261130_image_sources, after 20261130_outcomes_by_index.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_image_sources"
down_revision = "20261130_outcomes_by_index"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("client_images") as client_images:
        client_images.add_column(
            sa.Column("source_sha256", sa.String(length=64), server_default="", nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("client_images") as client_images:
        client_images.drop_column("source_sha256")
