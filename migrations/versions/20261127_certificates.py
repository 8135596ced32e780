"""Orders at a certificate authority, proofs, the account there, and the ledger of its limits

Revision 20261127_certificates, after 20261127_custom_domains.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_certificates"
down_revision = "20261127_custom_domains"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("certificates") as certificates:
        certificates.add_column(
            sa.Column("is_served", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        certificates.add_column(
            sa.Column("warned_days", sa.Integer(), server_default="10000", nullable=False)
        )
    _shared_hosts()
    _orders()
    _challenges()
    _accounts()
    _attempts()


def _own() -> list[sa.Column]:
    return [
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _account(table: str, ondelete: str) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["account_id"], ["accounts.id"], name=f"fk_{table}_account_id", ondelete=ondelete
    )


def _text(name: str, length: int) -> sa.Column:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _index(table: str, *columns: str) -> None:
    for column in ("created_at", "updated_at", *columns):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _shared_hosts() -> None:
    table = "shared_certificate_hosts"
    op.create_table(
        table,
        sa.Column("account_id", BIG_ID, nullable=False),
        _text("hostname", 253),
        _text("certificate_name", 253),
        *_own(),
        _account(table, "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("hostname", name=f"uq_{table}_hostname"),
    )
    _index(table, "certificate_name")


def _orders() -> None:
    table = "certificate_orders"
    op.create_table(
        table,
        sa.Column("account_id", BIG_ID, nullable=True),
        _text("name", 253),
        _text("holder", 60),
        sa.Column("sealed_state", sa.Text(), nullable=False),
        _text("reason", 60),
        sa.Column("detail", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("failures", "attempt", "generation", "broken_off")
        ),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            for name in ("renew_at", "next_attempt_at", "leased_until", "attempted_at")
        ),
        _text("step", 40),
        _text("message", 1000),
        *_own(),
        _account(table, "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("name", name=f"uq_{table}_name"),
    )
    _index(table, "next_attempt_at")


def _challenges() -> None:
    table = "open_challenges"
    op.create_table(
        table,
        _text("certificate_name", 253),
        _text("host", 253),
        _text("token", 128),
        _text("content", 255),
        *_own(),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("host", "token", name=f"uq_{table}_host_token"),
    )
    _index(table, "certificate_name")


def _accounts() -> None:
    table = "authority_accounts"
    op.create_table(
        table,
        _text("directory", 500),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        _text("uri", 500),
        *_own(),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("directory", name=f"uq_{table}_directory"),
    )
    _index(table)


def _attempts() -> None:
    table = "certificate_attempts"
    op.create_table(
        table,
        sa.Column("account_id", BIG_ID, nullable=True),
        _text("kind", 12),
        _text("name", 253),
        _text("registrable", 253),
        *_own(),
        _account(table, "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    _index(table)
    for column in ("name", "registrable"):
        columns = ["kind", column, "created_at"]
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)


def downgrade() -> None:
    raise NotImplementedError("Keys and orders are not thrown away.")
