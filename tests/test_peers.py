"""The PostgreSQL that tests get is the real one, and each test process has its own database."""

from __future__ import annotations

from sqlalchemy import create_engine, text


def test_each_worker_writes_to_a_database_of_its_own(postgres_url: str, worker_id: str) -> None:
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT current_database()")) == f"portal_{worker_id}"
        assert connection.scalar(text("SHOW server_version_num")) >= "150000"
        assert connection.scalar(text("SHOW listen_addresses")) == ""
        assert connection.scalar(text("SELECT version()")).startswith("PostgreSQL ")
    engine.dispose()
