"""What people are told, what they have seen, and how they want to be told

Revision 20261130_notices, after 20261130_audit_chains.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_notices"
down_revision = "20261130_audit_chains"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _make_notices()
    _make_seen()
    op.create_table(
        "notice_preferences",
        sa.Column("user_id", BIG_ID, nullable=False),
        *(_word(name) for name in ("kind", "way")),
        *_own_columns(),
        _of("notice_preferences", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name="pk_notice_preferences"),
        sa.UniqueConstraint("user_id", "kind", name="uq_notice_preferences_user_id_kind"),
    )
    _index("notice_preferences")
    # Written out: only so does SQLite add a reference without making the table anew.
    integer = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE mails ADD COLUMN notice_id {integer} CONSTRAINT fk_mails_notice_id "
        "REFERENCES notices (id) ON DELETE SET NULL"
    )
    op.create_index("ix_mails_notice_id", "mails", ["notice_id"])


def _make_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=True),
        *(_word(name) for name in ("kind", "level")),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("object_type", sa.String(length=40), nullable=False),
        sa.Column("object_id", BIG_ID, nullable=True),
        sa.Column("object_name", sa.String(length=255), nullable=False),
        sa.Column("damping_key", sa.String(length=120), nullable=False),
        sa.Column("once_key", sa.String(length=120), nullable=True),
        sa.Column("held_until", TIME, nullable=True),
        sa.Column("gathered", sa.Integer(), nullable=False),
        sa.Column("concerned", sa.JSON(), nullable=False),
        *_own_columns(),
        _of("notices", "account_id", "accounts"),
        _of("notices", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("account_id", "once_key", name="uq_notices_account_id_once_key"),
    )
    _index("notices", "user_id", "held_until")
    op.create_index("ix_notices_account_id_id", "notices", ["account_id", "id"])
    columns = ["account_id", "damping_key", "created_at"]
    op.create_index("ix_notices_account_id_damping_key", "notices", columns)


def _make_seen() -> None:
    op.create_table(
        "notice_readers",
        *(sa.Column(name, BIG_ID, nullable=False) for name in ("user_id", "account_id", "seen_to")),
        *_own_columns(),
        _of("notice_readers", "user_id", "users"),
        _of("notice_readers", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_notice_readers"),
        sa.UniqueConstraint("user_id", "account_id", name="uq_notice_readers_user_id_account_id"),
    )
    _index("notice_readers", "account_id")
    op.create_table(
        "seen_notices",
        *(sa.Column(name, BIG_ID, nullable=False) for name in ("user_id", "notice_id")),
        *_own_columns(),
        _of("seen_notices", "user_id", "users"),
        _of("seen_notices", "notice_id", "notices"),
        sa.PrimaryKeyConstraint("id", name="pk_seen_notices"),
        sa.UniqueConstraint("user_id", "notice_id", name="uq_seen_notices_user_id_notice_id"),
    )
    _index("seen_notices", "notice_id")


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=20), nullable=False)


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )


def _index(table: str, *columns: str) -> None:
    for column in ("created_at", "updated_at", *columns):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _own_columns() -> list[sa.Column]:
    return [
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    ]


def downgrade() -> None:
    op.drop_index("ix_mails_notice_id", table_name="mails")
    op.drop_column("mails", "notice_id")
    for table in ("notice_preferences", "seen_notices", "notice_readers", "notices"):
        op.drop_table(table)
