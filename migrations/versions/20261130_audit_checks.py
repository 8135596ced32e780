"""What the portal's own look at each chain of the audit log found

Revision 20261130_audit_checks, after 20261130_first_passwords.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_audit_checks"
down_revision = "20261130_first_passwords"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
INDEXED = ("account_id", "created_at", "next_attempt_at", "problem_at", "updated_at")


def upgrade() -> None:
    op.create_table(
        "audit_checks",
        sa.Column("number", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=True),
        sa.Column("checked_to", BIG_ID, nullable=False),
        sa.Column("whole_at", TIME, nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("problem_at", TIME, nullable=True),
        sa.Column("seen_at", TIME, nullable=True),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("broken_off", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=True),
        sa.Column("leased_until", TIME, nullable=True),
        sa.Column("attempted_at", TIME, nullable=True),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_audit_checks_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checks")),
        sa.UniqueConstraint("number", name=op.f("uq_audit_checks_number")),
    )
    for column in INDEXED:
        op.create_index(f"ix_audit_checks_{column}", "audit_checks", [column])


def downgrade() -> None:
    op.drop_table("audit_checks")
