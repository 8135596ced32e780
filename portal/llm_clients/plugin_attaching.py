"""Which plugins a client uses, in which order; the caller takes the revision."""

from __future__ import annotations

from sqlalchemy import select

from portal.accounts.models import Account
from portal.database import db
from portal.llm_clients.models import LLMClient, LLMClientPlugin
from portal.plugins import finding
from portal.plugins.models import Plugin

MOST_PLUGINS = 20


def attached_to(llm_client: LLMClient) -> list[LLMClientPlugin]:
    """What ties plugins to the client, in its order, off ones too."""
    return sorted(llm_client.llmclientplugin_set, key=lambda entry: (entry.position, entry.id))


def attachable_to(llm_client: LLMClient, account: Account) -> list[Plugin]:
    """The account's other plugins, by name."""
    present = {entry.plugin_id for entry in llm_client.llmclientplugin_set}
    return [plugin for plugin in finding.all_of(account) if plugin.id not in present]


def entry_of(llm_client: LLMClient, plugin_id: int) -> LLMClientPlugin | None:
    """What ties one plugin to the client, if it is attached."""
    found = (entry for entry in attached_to(llm_client) if entry.plugin_id == plugin_id)
    return next(found, None)


def attach(llm_client: LLMClient, plugin: Plugin) -> bool:
    """Put it last and on; False where it is attached already, or there are 20."""
    entries = attached_to(llm_client)
    if entry_of(llm_client, plugin.id) is not None or len(entries) >= MOST_PLUGINS:
        return False
    llm_client.llmclientplugin_set.append(
        LLMClientPlugin(plugin_id=plugin.id, plugin=plugin, position=len(entries))
    )
    _number(entries)
    return True


def detach(llm_client: LLMClient, plugin_id: int) -> bool:
    """Take it from the client; False where it was not attached."""
    entry = entry_of(llm_client, plugin_id)
    if entry is None:
        return False
    llm_client.llmclientplugin_set.remove(entry)
    _number(attached_to(llm_client))
    return True


def switch(llm_client: LLMClient, plugin_id: int, *, is_on: bool) -> bool:
    """On or off; False where it is so already or not attached."""
    entry = entry_of(llm_client, plugin_id)
    if entry is None or entry.is_on == is_on:
        return False
    entry.is_on = is_on
    return True


def move_up(llm_client: LLMClient, plugin_id: int) -> bool:
    """Before the one that stands before it; False for the first and for one not attached."""
    entries = attached_to(llm_client)
    at = next((n for n, entry in enumerate(entries) if entry.plugin_id == plugin_id), 0)
    if at == 0:
        return False
    entries[at - 1], entries[at] = entries[at], entries[at - 1]
    _number(entries)
    return True


def lock(llm_client: LLMClient) -> None:
    """Hold the client's row, so that two who change its plugins come one after the other."""
    db.session.scalar(select(LLMClient.id).where(LLMClient.id == llm_client.id).with_for_update())


def _number(entries: list[LLMClientPlugin]) -> None:
    for position, entry in enumerate(entries):
        entry.position = position
