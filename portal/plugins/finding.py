"""Plugins and their secrets; every query starts from the account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from sqlalchemy import select

from portal.accounts.models import Account
from portal.database import db
from portal.errors import PortalError
from portal.plugins.calling import ServedPlugin
from portal.plugins.models import Plugin
from portal.vault import current_sealer, named


def all_of(account: Account) -> list[Plugin]:
    """The account's plugins by name."""
    query = select(Plugin).where(Plugin.account_id == account.id).order_by(Plugin.name, Plugin.id)
    return list(db.session.scalars(query))


def for_account(account: Account, plugin_id: int, *, lock: bool = False) -> Plugin | None:
    """The account's plugin with this number; None for any other's."""
    query = select(Plugin).where(Plugin.account_id == account.id, Plugin.id == plugin_id)
    return db.session.scalar(query.with_for_update() if lock else query)


def names_of(account_id: int, plugin_ids: Iterable[int]) -> list[str]:
    """How pages call these, in the given order; one that is gone is called by its number."""
    wanted = list(plugin_ids)
    if not wanted:
        return []
    query = select(Plugin.id, Plugin.name).where(
        Plugin.account_id == account_id, Plugin.id.in_(wanted)
    )
    found = {row.id: row.name for row in db.session.execute(query)}
    return [found.get(number, f"Deleted plugin {number}") for number in wanted]


def served_plugins(account_id: int, plugin_ids: Iterable[int]) -> tuple[ServedPlugin, ...]:
    """Those of the account, in the given order, with their secrets opened; the others are left."""
    wanted = list(dict.fromkeys(plugin_ids))
    if not wanted:
        return ()
    query = select(Plugin).where(Plugin.account_id == account_id, Plugin.id.in_(wanted))
    found = {plugin.id: plugin for plugin in db.session.scalars(query)}
    return tuple(served(found[number]) for number in wanted if number in found)


def served(plugin: Plugin) -> ServedPlugin:
    """The row as a value with its secret opened; a secret that does not open is its problem."""
    secret, problem = "", ""
    try:
        secret = secret_of(plugin)
    except PortalError as error:
        problem = error.public_message
    return ServedPlugin(
        id=plugin.id,
        name=plugin.name,
        description=plugin.description,
        kind=plugin.kind,
        selector=plugin.selector,
        search_terms=tuple(plugin.search_terms),
        content=plugin.content,
        secret=secret,
        problem=problem,
    )


def set_secret(plugin: Plugin, secret: str) -> None:
    """Seal the plugin's secret; the one before it is gone. The row must have its number."""
    plugin.sealed_secret = current_sealer().seal(secret, belongs_to=belongs_to(plugin))


def secret_of(plugin: Plugin) -> str:
    """The opened secret, "" if there is none. Raises SealError."""
    return named.followed(plugin.account_id, typed_secret(plugin))


@named.on_uses
def _uses(account_id: int) -> Iterator[named.Use]:
    query = select(Plugin).where(Plugin.account_id == account_id).order_by(Plugin.name)
    for plugin in db.session.scalars(query):
        values = tuple(named.opened_or_nothing(partial(typed_secret, plugin)))
        yield named.Use(f"Plugin {plugin.name}", "plugins.edit", {"plugin_id": plugin.id}, values)


def typed_secret(plugin: Plugin) -> str:
    """The secret, or the named one that it refers to."""
    if not plugin.sealed_secret:
        return ""
    return current_sealer().open(plugin.sealed_secret, belongs_to=belongs_to(plugin))


def belongs_to(plugin: Plugin) -> str:
    return f"plugin_secret/{plugin.account_id}/{plugin.id}"
