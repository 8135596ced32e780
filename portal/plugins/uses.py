"""Which clients use a plugin: in their newest configuration, or in the published one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, func, select, table
from sqlalchemy import column as sql_column

from portal.accounts.models import Account
from portal.database import db
from portal.plugins.models import Plugin

# The rooms above are known here by their tables only.
_CLIENTS = table(
    "llm_clients",
    *map(sql_column, ("id", "hashed_id", "name", "account_id", "published_revision_id")),
)
_ATTACHED = table("llm_client_plugins", *map(sql_column, ("llm_client_id", "plugin_id")))
_REVISIONS = table("llm_client_revisions", sql_column("id"), sql_column("content", JSON))


@dataclass(frozen=True)
class ClientName:
    """A client as the pages of plugins name it."""

    hashed_id: str
    name: str


def counts(account: Account) -> Counter[int]:
    """How many clients each of the account's plugins is attached to."""
    query = (
        select(_ATTACHED.c.plugin_id, func.count())
        .join_from(_ATTACHED, _CLIENTS, _CLIENTS.c.id == _ATTACHED.c.llm_client_id)
        .where(_CLIENTS.c.account_id == account.id)
        .group_by(_ATTACHED.c.plugin_id)
    )
    return Counter({int(number): int(total) for number, total in db.session.execute(query)})


def clients_of(plugin: Plugin) -> list[ClientName]:
    """The clients that would miss it, by name."""
    named = select(_CLIENTS.c.hashed_id, _CLIENTS.c.name).where(
        _CLIENTS.c.account_id == plugin.account_id
    )
    attached = named.join_from(
        _CLIENTS, _ATTACHED, _ATTACHED.c.llm_client_id == _CLIENTS.c.id
    ).where(_ATTACHED.c.plugin_id == plugin.id)
    published = named.add_columns(_REVISIONS.c.content).join_from(
        _CLIENTS, _REVISIONS, _REVISIONS.c.id == _CLIENTS.c.published_revision_id
    )
    found = {ClientName(*row) for row in db.session.execute(attached)}
    for *names, content in db.session.execute(published):
        if plugin.id in _plugins(content):
            found.add(ClientName(*names))
    return sorted(found, key=lambda client: client.name)


def _plugins(content: Any) -> list[int]:
    return list(content.get("plugins", ())) if isinstance(content, dict) else []
