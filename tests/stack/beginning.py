"""Where each history begins: two accounts with a client each, written once and restored often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Table, insert, select

from portal.caching import forget_after_commit
from portal.certificates.models import (
    Certificate,
    CertificateOrder,
    OpenChallenge,
    SharedCertificateHost,
)
from portal.custom_domains.models import CustomDomainTombstone, LLMClientCustomDomain
from portal.database import db
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.quick_statements import Quick

EMPTIED = (
    Deployment,
    LLMClientHost,
    Certificate,
    CertificateOrder,
    OpenChallenge,
    SharedCertificateHost,
    LLMClient,
    LLMClientCustomDomain,
    CustomDomainTombstone,
)
Rows = list[dict[str, Any]]


class Beginnings:
    """The rows of each beginning that was asked for so far, by what it is called."""

    def __init__(self) -> None:
        self._known: dict[Any, list[tuple[Quick, Rows]]] = {}

    def begin(self, name: Any, create: Callable[[], None]) -> None:
        """Leave nothing but what `create` makes; the real `create` is called the first time."""
        if name not in self._known:
            self._known[name] = self._made_by(create)
        _empty()
        for written, rows in self._known[name]:
            written.run(db.session.connection(), rows)
        forget_after_commit()
        db.session.commit()

    def _made_by(self, create: Callable[[], None]) -> list[tuple[Quick, Rows]]:
        """Whatever is there after `create` and goes with the clients."""
        _empty()
        create()
        with_clients = _contents()
        _empty()
        without = _contents()
        made = [
            (table, [row for row in rows if row not in without[table]])
            for table, rows in with_clients.items()
        ]
        return [(Quick(insert(table), rows[0].keys()), rows) for table, rows in made if rows]


def _empty() -> None:
    connection = db.session.connection()
    for table in EMPTIED:
        connection.exec_driver_sql(f"DELETE FROM {table.__tablename__}")  # noqa: S608
    db.session.commit()


def _contents() -> dict[Table, Rows]:
    return {
        table: [dict(row) for row in db.session.execute(select(table)).mappings()]
        for table in db.metadata.sorted_tables
    }
