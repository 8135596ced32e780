"""A database of their own on PostgreSQL for portals that are killed."""

from __future__ import annotations

import uuid

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url


@pytest.fixture
def own_postgres_url(postgres_url: str) -> str:
    """An empty database that no other test touches; it goes with the run's server."""
    return another_database(postgres_url)


def another_database(postgres_url: str) -> str:
    """The URL of a new database on the server of this one."""
    url = make_url(postgres_url)
    name = f"portal_killed_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(
        host=str(url.query["host"]), user="postgres", autocommit=True
    ) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return url.set(database=name).render_as_string(hide_password=False)
