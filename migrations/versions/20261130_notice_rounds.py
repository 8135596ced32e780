"""When the rounds of notices are next due

Revision 20261130_notice_rounds, after 20261130_webhooks.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_notice_rounds"
down_revision = "20261130_personal_tokens"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
TABLE = "notice_rounds"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("attempt", "generation", "broken_off")
        ),
        *(
            sa.Column(name, TIME, nullable=True)
            for name in ("next_attempt_at", "leased_until", "attempted_at")
        ),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TABLE}"),
        sa.UniqueConstraint("name", name=f"uq_{TABLE}_name"),
    )
    for column in ("created_at", "updated_at", "next_attempt_at"):
        op.create_index(f"ix_{TABLE}_{column}", TABLE, [column])


def downgrade() -> None:
    op.drop_table(TABLE)
