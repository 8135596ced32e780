"""The first tables

Revision 20261121_first_tables, after .
"""

import sqlalchemy as sa
from alembic import op

revision = "20261121_first_tables"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_number", sa.String(length=14), nullable=False),
        sa.Column("company_name", sa.String(length=255), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("request_bodies_days", sa.Integer(), nullable=False),
        sa.Column("request_rows_days", sa.Integer(), nullable=False),
        sa.Column(
            "admin_profile_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["admin_profile_id"],
            ["user_profiles.id"],
            name=op.f("fk_accounts_admin_profile_id"),
            ondelete="SET NULL",
            use_alter=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("account_number", name=op.f("uq_accounts_account_number")),
    )
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_accounts_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("bucket", sa.String(length=80), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
    )
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sign_in_attempts_bucket_created_at", ["bucket", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_sign_in_attempts_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_sign_in_attempts_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "users",
        sa.Column("username", sa.String(length=63), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("is_superuser", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("second_factor", sa.JSON(), nullable=True),
        sa.Column("theme", sa.String(length=5), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_users_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_users_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "audit_events",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object_type", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("object_name", sa.String(length=255), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("by", sa.String(length=10), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_audit_events_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_audit_events_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.create_index("ix_audit_events_account_id_id", ["account_id", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_audit_events_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_audit_events_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "auth_tokens",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("prefix", sa.String(length=24), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_auth_tokens_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_auth_tokens_created_by_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_tokens")),
        sa.UniqueConstraint("prefix", name=op.f("uq_auth_tokens_prefix")),
    )
    with op.batch_alter_table("auth_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auth_tokens_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_auth_tokens_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_auth_tokens_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "certificates",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("hostname", sa.String(length=253), nullable=False),
        sa.Column("issuer_kind", sa.String(length=20), nullable=False),
        sa.Column("chain_pem", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("order_state", sa.JSON(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_certificates_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
    )
    with op.batch_alter_table("certificates", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_certificates_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_certificates_hostname"), ["hostname"], unique=False)
        batch_op.create_index(batch_op.f("ix_certificates_not_after"), ["not_after"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_certificates_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "llm_client_custom_domains",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("domain_name", sa.String(length=253), nullable=False),
        sa.Column("is_verified", sa.Boolean(), nullable=False),
        sa.Column("zone_editor", sa.String(length=20), nullable=False),
        sa.Column("zone_editor_settings", sa.JSON(), nullable=False),
        sa.Column("verification_token", sa.String(length=64), nullable=False),
        sa.Column("check_results", sa.JSON(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_llm_client_custom_domains_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_client_custom_domains")),
        sa.UniqueConstraint(
            "account_id",
            "domain_name",
            name=op.f("uq_llm_client_custom_domains_account_id_domain_name"),
        ),
    )
    with op.batch_alter_table("llm_client_custom_domains", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_llm_client_custom_domains_account_id"), ["account_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_custom_domains_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_custom_domains_updated_at"), ["updated_at"], unique=False
        )
        batch_op.create_index(
            "uq_llm_client_custom_domains_verified_domain_name",
            ["domain_name"],
            unique=True,
            sqlite_where=sa.text("is_verified"),
            postgresql_where=sa.text("is_verified"),
        )

    op.create_table(
        "mails",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("to_address", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("broken_off", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_mails_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_mails_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    with op.batch_alter_table("mails", schema=None) as batch_op:
        batch_op.create_index("ix_mails_account_id_id", ["account_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mails_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_mails_next_attempt_at"), ["next_attempt_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_mails_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "plugins",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "static",
                "api",
                "sql",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "selector",
            sa.Enum(
                "always",
                "search_terms",
                "llm",
                name="selector",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_plugins_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugins")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_plugins_account_id_name")),
    )
    with op.batch_alter_table("plugins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plugins_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_plugins_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "providers",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("base_url", sa.String(length=2048), nullable=False),
        sa.Column("default_model", sa.String(length=200), nullable=False),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_providers_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_providers")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_providers_account_id_name")),
    )
    with op.batch_alter_table("providers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_providers_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_providers_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "secrets",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_secrets_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secrets")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_secrets_account_id_name")),
    )
    with op.batch_alter_table("secrets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_secrets_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_secrets_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "tags",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tags_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_tags_account_id_name")),
    )
    with op.batch_alter_table("tags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tags_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_tags_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "user_profiles",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "role",
            sa.Enum(
                "admin",
                "member",
                "viewer",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_user_profiles_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_profiles_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_profiles")),
        sa.UniqueConstraint(
            "user_id", "account_id", name=op.f("uq_user_profiles_user_id_account_id")
        ),
    )
    with op.batch_alter_table("user_profiles", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_user_profiles_account_id"), ["account_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_user_profiles_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_user_profiles_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "user_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=255), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
    )
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_user_sessions_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_user_sessions_updated_at"), ["updated_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_user_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "llm_client_custom_domain_dns",
        sa.Column(
            "custom_domain_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("record_name", sa.String(length=253), nullable=False),
        sa.Column("record_type", sa.String(length=10), nullable=False),
        sa.Column("record_value", sa.String(length=2048), nullable=False),
        sa.Column("record_ttl", sa.Integer(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=True),
        sa.Column("published_by", sa.String(length=20), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["custom_domain_id"],
            ["llm_client_custom_domains.id"],
            name=op.f("fk_llm_client_custom_domain_dns_custom_domain_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_client_custom_domain_dns")),
        sa.UniqueConstraint(
            "custom_domain_id",
            "record_name",
            "record_type",
            name=op.f("uq_llm_client_custom_domain_dns_custom_domain_id_record_name_record_type"),
        ),
    )
    with op.batch_alter_table("llm_client_custom_domain_dns", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_llm_client_custom_domain_dns_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_custom_domain_dns_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "provider_credentials",
        sa.Column(
            "provider_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("hint", sa.String(length=4), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["providers.id"],
            name=op.f("fk_provider_credentials_provider_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_credentials")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_provider_credentials_provider_id")),
    )
    with op.batch_alter_table("provider_credentials", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_provider_credentials_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_provider_credentials_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "llm_clients",
        sa.Column("hashed_id", sa.String(length=32), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "user_profile_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "subdomain_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "custom_domain_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("annotations", sa.JSON(), nullable=False),
        sa.Column("deployed", sa.Boolean(), nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("default_model", sa.String(length=200), nullable=False),
        sa.Column("default_system_role", sa.Text(), nullable=False),
        sa.Column("default_temperature", sa.Float(), nullable=False),
        sa.Column("default_max_tokens", sa.Integer(), nullable=False),
        sa.Column("app_name", sa.String(length=255), nullable=False),
        sa.Column("app_assistant", sa.String(length=255), nullable=False),
        sa.Column("app_welcome_message", sa.Text(), nullable=False),
        sa.Column("app_example_prompts", sa.JSON(), nullable=False),
        sa.Column("app_placeholder", sa.String(length=255), nullable=False),
        sa.Column("app_info_url", sa.String(length=2048), nullable=False),
        sa.Column("app_background_image_url", sa.String(length=2048), nullable=False),
        sa.Column("app_logo_url", sa.String(length=2048), nullable=False),
        sa.Column("app_file_attachment", sa.Boolean(), nullable=False),
        sa.Column(
            "dns_verification_status",
            sa.Enum(
                "Verifying",
                "Not Verified",
                "Verified",
                "Failed",
                name="dns_verification_status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "tls_certificate_issuance_status",
            sa.Enum(
                "No Certificate",
                "Requested",
                "Issued",
                "Failed",
                name="tls_certificate_issuance_status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "published_revision_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("newest_revision_number", sa.Integer(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "default_max_tokens >= 1", name=op.f("ck_llm_clients_max_tokens_positive")
        ),
        sa.CheckConstraint(
            "default_temperature BETWEEN 0 AND 2", name=op.f("ck_llm_clients_temperature_range")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_llm_clients_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["custom_domain_id"],
            ["llm_client_custom_domains.id"],
            name=op.f("fk_llm_clients_custom_domain_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["published_revision_id"],
            ["llm_client_revisions.id"],
            name=op.f("fk_llm_clients_published_revision_id"),
            ondelete="SET NULL",
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(
            ["subdomain_id"],
            ["llm_client_custom_domain_dns.id"],
            name=op.f("fk_llm_clients_subdomain_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_profile_id"],
            ["user_profiles.id"],
            name=op.f("fk_llm_clients_user_profile_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_clients")),
        sa.UniqueConstraint("hashed_id", name=op.f("uq_llm_clients_hashed_id")),
        sa.UniqueConstraint("subdomain_id", name=op.f("uq_llm_clients_subdomain_id")),
        sa.UniqueConstraint(
            "user_profile_id", "name", name=op.f("uq_llm_clients_user_profile_id_name")
        ),
    )
    with op.batch_alter_table("llm_clients", schema=None) as batch_op:
        batch_op.create_index(
            "ix_llm_clients_account_id_name", ["account_id", "name"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_llm_clients_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_llm_clients_custom_domain_id"), ["custom_domain_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_llm_clients_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "llm_client_api_keys",
        sa.Column(
            "llm_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "api_key_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"],
            ["auth_tokens.id"],
            name=op.f("fk_llm_client_api_keys_api_key_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=op.f("fk_llm_client_api_keys_llm_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_client_api_keys")),
        sa.UniqueConstraint(
            "llm_client_id",
            "api_key_id",
            name=op.f("uq_llm_client_api_keys_llm_client_id_api_key_id"),
        ),
    )
    with op.batch_alter_table("llm_client_api_keys", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_llm_client_api_keys_api_key_id"), ["api_key_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_api_keys_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_api_keys_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "llm_client_functions",
        sa.Column(
            "llm_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "name",
            sa.Enum(
                "get_current_weather",
                "date_calculator",
                "calculator",
                name="name",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=op.f("fk_llm_client_functions_llm_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_client_functions")),
        sa.UniqueConstraint(
            "llm_client_id", "name", name=op.f("uq_llm_client_functions_llm_client_id_name")
        ),
    )
    with op.batch_alter_table("llm_client_functions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_llm_client_functions_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_functions_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "llm_client_hosts",
        sa.Column("hostname", sa.String(length=253), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "llm_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "state",
            sa.Enum(
                "current",
                "leaving",
                "tombstone",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_llm_client_hosts_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=op.f("fk_llm_client_hosts_llm_client_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_client_hosts")),
        sa.UniqueConstraint("hostname", name=op.f("uq_llm_client_hosts_hostname")),
    )
    with op.batch_alter_table("llm_client_hosts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_llm_client_hosts_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_hosts_llm_client_id"), ["llm_client_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_hosts_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "llm_client_plugins",
        sa.Column(
            "llm_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "plugin_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=op.f("fk_llm_client_plugins_llm_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["plugin_id"],
            ["plugins.id"],
            name=op.f("fk_llm_client_plugins_plugin_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_client_plugins")),
        sa.UniqueConstraint(
            "llm_client_id", "plugin_id", name=op.f("uq_llm_client_plugins_llm_client_id_plugin_id")
        ),
    )
    with op.batch_alter_table("llm_client_plugins", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_llm_client_plugins_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_plugins_plugin_id"), ["plugin_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_plugins_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "llm_client_requests",
        sa.Column(
            "llm_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("session_key", sa.String(length=64), nullable=False),
        sa.Column("is_aggregation", sa.Boolean(), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("llm_client_name", sa.String(length=255), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=True),
        sa.Column("hostname", sa.String(length=253), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column(
            "api_key_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=False),
        sa.Column("error_text", sa.Text(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("first_token_ms", sa.Integer(), nullable=True),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=True),
        sa.Column("price_version", sa.String(length=20), nullable=False),
        sa.Column("question_preview", sa.String(length=200), nullable=False),
        sa.Column("answer_preview", sa.String(length=200), nullable=False),
        sa.Column("response", sa.JSON(), nullable=True),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_llm_client_requests_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["api_key_id"],
            ["auth_tokens.id"],
            name=op.f("fk_llm_client_requests_api_key_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=op.f("fk_llm_client_requests_llm_client_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_client_requests")),
        sa.UniqueConstraint("request_id", name=op.f("uq_llm_client_requests_request_id")),
    )
    with op.batch_alter_table("llm_client_requests", schema=None) as batch_op:
        batch_op.create_index(
            "ix_llm_client_requests_account_id_id", ["account_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_requests_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            "ix_llm_client_requests_llm_client_id_id", ["llm_client_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_llm_client_requests_session_key_id", ["session_key", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_requests_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "llm_client_revisions",
        sa.Column(
            "llm_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("note", sa.String(length=255), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["users.id"],
            name=op.f("fk_llm_client_revisions_author_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=op.f("fk_llm_client_revisions_llm_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_client_revisions")),
        sa.UniqueConstraint(
            "llm_client_id", "number", name=op.f("uq_llm_client_revisions_llm_client_id_number")
        ),
    )
    with op.batch_alter_table("llm_client_revisions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_llm_client_revisions_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_llm_client_revisions_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "prompts",
        sa.Column("session_key", sa.String(length=64), nullable=False),
        sa.Column(
            "llm_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_count", sa.Integer(), nullable=False),
        sa.Column("visitor_hash", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=255), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=op.f("fk_prompts_llm_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
        sa.UniqueConstraint("session_key", name=op.f("uq_prompts_session_key")),
    )
    with op.batch_alter_table("prompts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_prompts_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "ix_prompts_llm_client_id_last_at", ["llm_client_id", "last_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_prompts_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "request_rollups",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "llm_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("tokens_in", sa.BigInteger(), nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), nullable=False),
        sa.Column("latency_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_request_rollups_account_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=op.f("fk_request_rollups_llm_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_rollups")),
        sa.UniqueConstraint(
            "llm_client_id",
            "hour",
            "revision_number",
            "model",
            "mode",
            name=op.f("uq_request_rollups_llm_client_id_hour_revision_number_model_mode"),
        ),
    )
    with op.batch_alter_table("request_rollups", schema=None) as batch_op:
        batch_op.create_index(
            "ix_request_rollups_account_id_hour", ["account_id", "hour"], unique=False
        )

    op.create_table(
        "tagged_items",
        sa.Column(
            "llm_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tag_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=op.f("fk_tagged_items_llm_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_tagged_items_tag_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("llm_client_id", "tag_id", name=op.f("pk_tagged_items")),
    )
    with op.batch_alter_table("tagged_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tagged_items_tag_id"), ["tag_id"], unique=False)

    op.create_table(
        "deployments",
        sa.Column(
            "llm_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "deploy",
                "undeploy",
                "delete",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "done",
                "failed",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column(
            "revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "started_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("who_acts", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("broken_off", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["llm_client_id"],
            ["llm_clients.id"],
            name=op.f("fk_deployments_llm_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["llm_client_revisions.id"],
            name=op.f("fk_deployments_revision_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["started_by_id"],
            ["users.id"],
            name=op.f("fk_deployments_started_by_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
    )
    with op.batch_alter_table("deployments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deployments_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "ix_deployments_llm_client_id_id", ["llm_client_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_deployments_next_attempt_at"), ["next_attempt_at"], unique=False
        )
        batch_op.create_index(
            "ix_deployments_not_notified_finished_at",
            ["finished_at"],
            unique=False,
            sqlite_where=sa.text("notified_at IS NULL"),
            postgresql_where=sa.text("notified_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_deployments_updated_at"), ["updated_at"], unique=False)
        batch_op.create_index(
            "uq_deployments_active_llm_client_id",
            ["llm_client_id"],
            unique=True,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "progress_events",
        sa.Column(
            "deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=10), nullable=False),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.id"],
            name=op.f("fk_progress_events_deployment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_progress_events")),
    )
    with op.batch_alter_table("progress_events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_progress_events_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_progress_events_deployment_id"), ["deployment_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_progress_events_updated_at"), ["updated_at"], unique=False
        )

    if op.get_bind().dialect.name != "sqlite":  # SQLite has the two circular keys in its tables
        op.create_foreign_key(
            "fk_accounts_admin_profile_id",
            "accounts",
            "user_profiles",
            ["admin_profile_id"],
            ["id"],
            ondelete="SET NULL",
        )
        op.create_foreign_key(
            "fk_llm_clients_published_revision_id",
            "llm_clients",
            "llm_client_revisions",
            ["published_revision_id"],
            ["id"],
            ondelete="SET NULL",
        )


def downgrade() -> None:
    raise NotImplementedError("There is nothing before the first tables.")
