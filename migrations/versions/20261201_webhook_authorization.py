"""The Authorization header that the receiver of a webhook wants, sealed

Revision 20261201_webhook_authorization, after 20261130_image_sources.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_webhook_authorization"
down_revision = "20261130_image_sources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("webhooks") as webhooks:
        webhooks.add_column(
            sa.Column("sealed_authorization", sa.Text(), server_default="", nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("webhooks") as webhooks:
        webhooks.drop_column("sealed_authorization")
