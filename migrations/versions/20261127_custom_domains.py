"""Custom domains are watched, have a timeline and leave tombstones; runs have a scope

Revision 20261127_custom_domains, after 20261127_plugin_kinds.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_custom_domains"
down_revision = "20261127_plugin_kinds"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _watch_domains()
    _say_what_records_are_for()
    with op.batch_alter_table("llm_clients") as clients:
        clients.add_column(_flag("uses_bare_domain"))
    _add_reference("llm_client_hosts", "custom_domain_id", "llm_client_custom_domains")
    op.create_index(
        "ix_llm_client_hosts_custom_domain_id", "llm_client_hosts", ["custom_domain_id"]
    )
    _give_runs_a_scope()
    _make_events()
    _make_tombstones()


def _watch_domains() -> None:
    with op.batch_alter_table("llm_client_custom_domains") as domains:
        domains.add_column(_text("state", 20, "pending"))
        domains.add_column(
            sa.Column("sealed_settings", sa.Text(), server_default="", nullable=False)
        )
        domains.add_column(_text("zone_name", 253))
        domains.add_column(_flag("wants_wildcard"))
        domains.add_column(_flag("wants_delegation"))
        domains.add_column(_text("challenge_label", 32))
        domains.add_column(_number("setup_link_generation", 1))
        for column in ("watched_since", "verified_at", "checked_at", "check_asked_at"):
            domains.add_column(sa.Column(column, TIME, nullable=True))
        domains.add_column(sa.Column("failing_since", TIME, nullable=True))
        domains.add_column(_number("failure_count", 0))
        domains.add_column(_text("step", 40))
        for column in ("attempt", "generation", "broken_off"):
            domains.add_column(_number(column, 0))
        for column in ("next_attempt_at", "leased_until", "attempted_at"):
            domains.add_column(sa.Column(column, TIME, nullable=True))
        domains.add_column(_text("message", 1000))
    _add_reference("llm_client_custom_domains", "added_by_id", "users")
    op.create_index(
        "ix_llm_client_custom_domains_next_attempt_at",
        "llm_client_custom_domains",
        ["next_attempt_at"],
    )


def _say_what_records_are_for() -> None:
    with op.batch_alter_table("llm_client_custom_domain_dns") as records:
        records.add_column(_text("purpose", 20, "routing"))
        records.add_column(_text("host", 253))
        records.add_column(
            sa.Column("is_required", sa.Boolean(), server_default=sa.true(), nullable=False)
        )


def _give_runs_a_scope() -> None:
    with op.batch_alter_table("deployments") as runs:
        runs.add_column(_text("scope", 20, "default"))
    op.drop_index("uq_deployments_active_llm_client_id", table_name="deployments")
    op.create_index(
        "uq_deployments_active_llm_client_id_scope",
        "deployments",
        ["llm_client_id", "scope"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )


def _make_events() -> None:
    op.create_table(
        "custom_domain_events",
        sa.Column("custom_domain_id", BIG_ID, nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["custom_domain_id"],
            ["llm_client_custom_domains.id"],
            name=op.f("fk_custom_domain_events_custom_domain_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_domain_events")),
    )
    for column in ("created_at", "custom_domain_id", "updated_at"):
        op.create_index(f"ix_custom_domain_events_{column}", "custom_domain_events", [column])


def _make_tombstones() -> None:
    op.create_table(
        "custom_domain_tombstones",
        sa.Column("domain_name", sa.String(length=253), nullable=False),
        sa.Column("account_id", BIG_ID, nullable=True),
        sa.Column("kept_until", TIME, nullable=False),
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_custom_domain_tombstones_account_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_domain_tombstones")),
    )
    for column in ("created_at", "domain_name", "kept_until", "updated_at"):
        op.create_index(
            f"ix_custom_domain_tombstones_{column}", "custom_domain_tombstones", [column]
        )


def _add_reference(table: str, column: str, other: str) -> None:
    """Written out: only so does SQLite add a reference without making the table anew."""
    integer = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN {column} {integer} CONSTRAINT fk_{table}_{column} "
        f"REFERENCES {other} (id) ON DELETE SET NULL"
    )


def _text(name: str, length: int, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), server_default=default, nullable=False)


def _number(name: str, default: int) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=str(default), nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)


def downgrade() -> None:
    raise NotImplementedError("Domains and their history are not thrown away.")
