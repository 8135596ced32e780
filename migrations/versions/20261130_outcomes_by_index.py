"""How often, and how it ended, out of PostgreSQL's index alone

Rows of an hour lie together there, so that reading one series means a page of the table for each
hour. SQLite keeps the sums in the order of their key, and needs nothing.

Revision 20261130_outcomes_by_index, after 20261130_seen_warned.
"""

from alembic import op

revision = "20261130_outcomes_by_index"
down_revision = "20261130_seen_warned"
branch_labels = None
depends_on = None

NAME = "ix_request_rollups_outcomes"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            NAME,
            "request_rollups",
            ["series_id", "hour"],
            postgresql_include=["answered", "refused", "cancelled", "failed"],
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index(NAME, table_name="request_rollups")
