"""The settings of a domain's zone editor have a test

Revision 20261127_zone_editor_tests, after 20261127_certificates.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_zone_editor_tests"
down_revision = "20261127_certificates"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "zone_editor_tests",
        sa.Column("custom_domain_id", BIG_ID, nullable=False),
        sa.Column("zone_editor", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("result", sa.String(length=1000), nullable=False),
        sa.Column("tested_at", TIME, nullable=True),
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
            ["custom_domain_id"],
            ["llm_client_custom_domains.id"],
            name=op.f("fk_zone_editor_tests_custom_domain_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone_editor_tests")),
        sa.UniqueConstraint("custom_domain_id", name=op.f("uq_zone_editor_tests_custom_domain_id")),
    )
    for column in ("created_at", "next_attempt_at", "updated_at"):
        op.create_index(f"ix_zone_editor_tests_{column}", "zone_editor_tests", [column])


def downgrade() -> None:
    op.drop_table("zone_editor_tests")
