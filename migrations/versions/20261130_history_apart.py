"""Bodies apart from rows, numbers that carry the time, sums by series, and words to search

Rows get new numbers (portal/request_history/numbering.py says what is in them). On PostgreSQL the
three large tables are partitioned by number; the schedule makes a partition for each month, what
has none is in the default one. The hourly sums are counted anew from the rows by a job.

Revision 20261130_history_apart, after 20261127_zone_editor_tests.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_history_apart"
down_revision = "20261127_zone_editor_tests"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
FIRST_REQUEST = 2**62
EPOCH = 1577836800  # 2020-01-01, UTC
KEPT = (
    "created_at, updated_at, llm_client_id, account_id, session_key, is_aggregation, request_id,"
    " llm_client_name, revision_number, hostname, mode, api_key_id, provider, model, status,"
    " error_code, error_text, latency_ms, first_token_ms, tokens_in, tokens_out, cost_micros,"
    " price_version, question_preview, answer_preview"
)


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    _make_room("llm_client_requests")
    _make_requests(is_sqlite)
    _make_bodies(is_sqlite)
    op.create_table(
        "requests_to_index",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_requests_to_index"),
    )
    if is_sqlite:
        _make_words_of_sqlite()
    else:
        _make_words_of_postgresql()
    _move_requests(is_sqlite)
    op.drop_table("old_llm_client_requests")
    _index_requests()
    _make_sessions()
    _make_sums()


def _make_room(table: str) -> None:
    """The old table steps aside, with the names of its rules that the new one needs."""
    op.rename_table(table, f"old_{table}")
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"ALTER INDEX pk_{table} RENAME TO pk_old_{table}")
    inspector = sa.inspect(op.get_bind())
    for index in inspector.get_indexes(f"old_{table}"):
        if not index.get("duplicates_constraint"):
            op.drop_index(index["name"], f"old_{table}")


def _text(name: str, length: int) -> sa.Column:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _number(name: str, **rules: bool) -> sa.Column:
    return sa.Column(name, sa.Integer(), **{"nullable": False, **rules})


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id"], ["accounts.id"], name=f"fk_{table}_account_id", ondelete="CASCADE"
    )


def _make_requests(is_sqlite: bool) -> None:
    table = "llm_client_requests"
    op.create_table(
        table,
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("llm_client_id", BIG_ID, nullable=True),
        sa.Column("account_id", BIG_ID, nullable=False),
        _text("session_key", 64),
        sa.Column("is_aggregation", sa.Boolean(), nullable=False),
        _text("request_id", 40),
        _text("llm_client_name", 255),
        _number("revision_number", nullable=True),
        _text("hostname", 253),
        _text("mode", 10),
        sa.Column("api_key_id", BIG_ID, nullable=True),
        _text("provider", 60),
        _text("model", 200),
        _number("status"),
        _text("error_code", 40),
        sa.Column("error_text", sa.Text(), nullable=False),
        _number("latency_ms", nullable=True),
        _number("first_token_ms", nullable=True),
        _number("tokens_in"),
        _number("tokens_out"),
        sa.Column("cost_micros", sa.BigInteger(), nullable=True),
        _text("price_version", 20),
        _text("question_preview", 200),
        _text("answer_preview", 200),
        _of_account(table),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=f"fk_{table}_llm_client_id",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        postgresql_partition_by="RANGE (id)",
    )
    _make_default_partition(table, is_sqlite)


def _make_default_partition(table: str, is_sqlite: bool) -> None:
    if not is_sqlite:
        op.execute(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")


def _index_requests() -> None:
    table = "llm_client_requests"
    for column in ("account_id", "llm_client_id", "session_key"):
        op.create_index(f"ix_{table}_{column}_id", table, [column, "id"])
    op.create_index(f"ix_{table}_request_id", table, ["request_id"])
    op.create_index(
        f"ix_{table}_unanswered",
        table,
        ["account_id", "id"],
        sqlite_where=sa.text("status >= 400"),
        postgresql_where=sa.text("status >= 400"),
    )


def _make_bodies(is_sqlite: bool) -> None:
    table = "llm_client_request_bodies"
    op.create_table(
        table,
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("response", sa.JSON(), nullable=True),
        _of_account(table),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        postgresql_partition_by="RANGE (id)",
    )
    _make_default_partition(table, is_sqlite)
    op.create_index(f"ix_{table}_account_id_id", table, ["account_id", "id"])


def _make_words_of_sqlite() -> None:
    """The words themselves are not stored again; trigrams of them are, without their places."""
    op.execute(
        "CREATE VIRTUAL TABLE request_search USING fts5(words, content='',"
        " tokenize='trigram case_sensitive 1', detail='none', columnsize=0)"
    )


def _make_words_of_postgresql() -> None:
    """With an index of trigrams where the server has them (`pg_trgm`, and leave to use it)."""
    op.execute(
        "CREATE TABLE request_search (id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL,"
        " llm_client_id BIGINT, words TEXT NOT NULL) PARTITION BY RANGE (id)"
    )
    op.execute("CREATE TABLE request_search_rest PARTITION OF request_search DEFAULT")
    op.execute("CREATE INDEX ix_request_search_account_id_id ON request_search (account_id, id)")
    op.execute(
        "DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm;"
        " CREATE INDEX ix_request_search_words ON request_search USING gin (words gin_trgm_ops);"
        " EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported"
        " OR undefined_object THEN NULL; END $$"
    )


def _move_requests(is_sqlite: bool) -> None:
    """Two rows of one microsecond differ by the last bits of their old numbers."""
    if is_sqlite:
        microseconds = (
            f"(CAST(strftime('%s', created_at) AS INTEGER) - {EPOCH}) * 1000000"
            " + CAST(substr(created_at || '.000000', 21, 6) AS INTEGER)"
        )
    else:
        microseconds = f"CAST((extract(epoch FROM created_at) - {EPOCH}) * 1000000 AS BIGINT)"
    number = f"{FIRST_REQUEST} + ({microseconds}) * 2048 + (id & 2047)"
    op.execute(
        f"INSERT INTO llm_client_requests (id, {KEPT})"  # noqa: S608 - our own words
        f" SELECT {number}, {KEPT} FROM old_llm_client_requests"
    )
    op.execute(
        "INSERT INTO llm_client_request_bodies (id, account_id, request, response)"  # noqa: S608
        f" SELECT {number}, account_id, request, response FROM old_llm_client_requests"
    )
    op.execute("INSERT INTO requests_to_index (id) SELECT id FROM llm_client_requests")


def _make_sessions() -> None:
    """Of whose account a session is, and what it came to, stands in its row."""
    _make_room("prompts")
    op.create_table(
        "prompts",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        _text("session_key", 64),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("llm_client_id", BIG_ID, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        _number("request_count"),
        _number("error_count"),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        _text("visitor_hash", 64),
        _text("user_agent", 255),
        _number("rating", nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        _of_account("prompts"),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=_free("fk_prompts_llm_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_prompts"),
        sa.UniqueConstraint("session_key", name=_free("uq_prompts_session_key")),
    )
    op.execute(
        "INSERT INTO prompts (created_at, updated_at, session_key, account_id, llm_client_id,"
        " started_at, last_at, request_count, error_count, tokens, cost_micros, visitor_hash,"
        " user_agent, rating, note)"
        " SELECT o.created_at, o.updated_at, o.session_key, c.account_id, o.llm_client_id,"
        " o.started_at, o.last_at, o.request_count,"
        " (SELECT count(*) FROM llm_client_requests r"
        "  WHERE r.session_key = o.session_key AND r.status >= 400),"
        " (SELECT coalesce(sum(r.tokens_in + r.tokens_out), 0) FROM llm_client_requests r"
        "  WHERE r.session_key = o.session_key),"
        " (SELECT coalesce(sum(r.cost_micros), 0) FROM llm_client_requests r"
        "  WHERE r.session_key = o.session_key),"
        " o.visitor_hash, o.user_agent, o.rating, o.note"
        " FROM old_prompts o JOIN llm_clients c ON c.id = o.llm_client_id ORDER BY o.id"
    )
    op.drop_table("old_prompts")
    for columns in (["llm_client_id", "last_at"], ["account_id", "last_at"], ["visitor_hash"]):
        op.create_index(f"ix_prompts_{'_'.join(columns)}", "prompts", columns)


def _free(name: str) -> str:
    """The name of a rule, which the old table gives up; names of rules are SQLite's table's own."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"ALTER TABLE old_prompts DROP CONSTRAINT {name}")
    return name


def _make_sums() -> None:
    op.drop_table("request_rollups")
    table = "usage_series"
    op.create_table(
        table,
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        _text("grain", 10),
        sa.Column("llm_client_id", BIG_ID, nullable=True),
        _text("provider", 60),
        _text("model", 200),
        _number("revision_number"),
        sa.Column("api_key_id", BIG_ID, nullable=False),
        _text("mode", 10),
        _of_account(table),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=f"fk_{table}_llm_client_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    for column in ("account_id", "llm_client_id"):
        op.create_index(f"ix_{table}_{column}_grain", table, [column, "grain"])
    op.create_table(
        "request_rollups",
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        _number("hour", autoincrement=False),
        *(_number(name) for name in ("answered", "refused", "cancelled", "failed")),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("tokens_in", "tokens_out", "cost_micros", "latency_ms")
        ),
        _number("sessions"),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.Column("latencies", sa.LargeBinary(), nullable=False),
        sa.Column("first_tokens", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["usage_series.id"],
            name="fk_request_rollups_series_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("series_id", "hour", name="pk_request_rollups"),
        sqlite_with_rowid=False,
    )
    _make_rebuilds()


def _make_rebuilds() -> None:
    """What counts hours anew; the first one, if there is anything to count."""
    op.create_table(
        "rollup_rebuilds",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=True),
        sa.Column("first_hour", sa.Integer(), nullable=False),
        sa.Column("last_hour", sa.Integer(), nullable=False),
        sa.Column("next_hour", sa.Integer(), nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        _text("step", 40),
        *(_number(name) for name in ("attempt", "generation", "broken_off")),
        sa.Column("next_attempt_at", TIME, nullable=True),
        sa.Column("leased_until", TIME, nullable=True),
        sa.Column("attempted_at", TIME, nullable=True),
        _text("message", 1000),
        _of_account("rollup_rebuilds"),
        sa.PrimaryKeyConstraint("id", name="pk_rollup_rebuilds"),
    )
    for column in ("created_at", "updated_at", "next_attempt_at"):
        op.create_index(f"ix_rollup_rebuilds_{column}", "rollup_rebuilds", [column])
    hour = (
        "CAST(strftime('%s', {0}) AS INTEGER) / 3600"
        if op.get_bind().dialect.name == "sqlite"
        else "CAST(floor(extract(epoch FROM {0}) / 3600) AS INTEGER)"
    )
    first, last = hour.format("min(created_at)"), hour.format("max(created_at)")
    op.execute(
        "INSERT INTO rollup_rebuilds (created_at, updated_at, first_hour, last_hour, next_hour,"  # noqa: S608
        " step, attempt, generation, broken_off, next_attempt_at, message)"
        " SELECT CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, first_hour, last_hour, first_hour,"
        " '', 0, 0, 0, CURRENT_TIMESTAMP, ''"
        f" FROM (SELECT {first} AS first_hour, {last} AS last_hour FROM llm_client_requests) hours"
        " WHERE first_hour IS NOT NULL"
    )
