"""Revisions: what a client's configuration was, what changed, and bringing it back."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.accounts.models import User
from portal.database import db
from portal.llm_clients.models import (
    LLMClient,
    LLMClientFunctions,
    LLMClientPlugin,
    LLMClientRevision,
    Tag,
)
from portal.plugins import finding as plugin_finding
from portal.plugins.models import Plugin

CONFIGURATION = {
    "description": "Description",
    "version": "Version",
    "annotations": "Annotations",
    "provider": "Provider",
    "default_model": "Model",
    "fallback_provider": "Fallback provider",
    "fallback_model": "Fallback model",
    "default_system_role": "System role",
    "default_temperature": "Temperature",
    "default_max_tokens": "Max tokens",
    "app_name": "Title",
    "app_assistant": "Assistant’s name",
    "app_welcome_message": "Welcome message",
    "app_example_prompts": "Example prompts",
    "app_placeholder": "Placeholder",
    "app_info_url": "Information link",
    "app_background_image_url": "Background image",
    "app_logo_url": "Logo",
    "app_logo_upload": "Uploaded logo",
    "app_background_upload": "Uploaded background",
    "app_file_attachment": "Visitors may attach files",
}
# What revisions from before uploads do not name: there was none.
BEFORE_UPLOADS = {"app_logo_upload": "", "app_background_upload": ""}
LABELS = {**CONFIGURATION, "tags": "Tags", "functions": "Functions", "plugins": "Plugins"}


@dataclass(frozen=True)
class Difference:
    """One setting that two revisions do not share; `lines` are (mark, text), + or - or a space."""

    label: str
    before: str
    after: str
    lines: list[tuple[str, str]]


def content_of(llm_client: LLMClient) -> dict[str, Any]:
    """The configuration as it stands now, as JSON values."""
    content: dict[str, Any] = {name: getattr(llm_client, name) for name in CONFIGURATION}
    content["tags"] = sorted(tag.name for tag in llm_client.tags)
    content["functions"] = llm_client.function_names
    attached = sorted(llm_client.llmclientplugin_set, key=lambda entry: entry.position)
    content["plugins"] = [entry.plugin_id for entry in attached if entry.is_on]
    return content


def take(llm_client: LLMClient, author: User | None, note: str = "") -> LLMClientRevision | None:
    """Make a revision of the present configuration; None if it is that of the newest one."""
    newest_number = _newest_number(llm_client)
    newest = revision_of(llm_client, newest_number)
    if newest is not None and {**BEFORE_UPLOADS, **newest.content} == content_of(llm_client):
        return None
    llm_client.newest_revision_number = newest_number + 1
    return add(llm_client, author, note)


def add(llm_client: LLMClient, author: User | None, note: str) -> LLMClientRevision:
    """The present configuration under the client's newest number, which has no revision yet."""
    revision = LLMClientRevision(
        llm_client=llm_client,
        number=llm_client.newest_revision_number,
        author=author,
        note=note,
        content=content_of(llm_client),
    )
    db.session.add(revision)
    return revision


def _newest_number(llm_client: LLMClient) -> int:
    """As stored now, and ours until the commit: whoever saves at the same moment comes after."""
    number = db.session.scalar(
        select(LLMClient.newest_revision_number)
        .where(LLMClient.id == llm_client.id)
        .with_for_update()
    )
    return number or 0


def revision_of(llm_client: LLMClient, number: int) -> LLMClientRevision | None:
    """One revision by its number."""
    if llm_client.id is None:
        return None
    return db.session.scalar(
        select(LLMClientRevision).where(
            LLMClientRevision.llm_client_id == llm_client.id, LLMClientRevision.number == number
        )
    )


def apply(llm_client: LLMClient, content: dict[str, Any]) -> None:
    """Put a configuration into the client's columns; plugins that are gone stay away."""
    whole = {**BEFORE_UPLOADS, **content}
    for name in CONFIGURATION:
        if name in whole:
            setattr(llm_client, name, whole[name])
    set_tags(llm_client, content.get("tags", []))
    set_functions(llm_client, content.get("functions", []))
    set_plugins(llm_client, content.get("plugins", []))


def restore(
    llm_client: LLMClient, revision: LLMClientRevision, author: User | None
) -> LLMClientRevision | None:
    """Copy an old revision forward as a new one; None if nothing would change."""
    apply(llm_client, revision.content)
    return take(llm_client, author, note=f"Restored from revision {revision.number}")


def set_tags(llm_client: LLMClient, names: list[str]) -> None:
    """Exactly these tags, made where the account has none of that name."""
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    query = select(Tag).where(Tag.account_id == llm_client.account_id, Tag.name.in_(wanted))
    known = {tag.name: tag for tag in db.session.scalars(query)} if wanted else {}
    llm_client.tags = [
        known.get(name) or Tag(account_id=llm_client.account_id, name=name) for name in wanted
    ]


def set_functions(llm_client: LLMClient, names: list[str]) -> None:
    """Exactly these built-in functions on; one named twice is on once."""
    entries = {str(entry.name): entry for entry in llm_client.llmclientfunctions_set}
    for name, entry in entries.items():
        entry.is_on = name in names
    for name in dict.fromkeys(names):
        if name not in entries:
            choice = LLMClientFunctions.Choices(name)
            llm_client.llmclientfunctions_set.append(LLMClientFunctions(name=choice))


def set_plugins(llm_client: LLMClient, plugin_ids: list[int]) -> None:
    """Exactly these, in this order; rows that stay are kept, since a pair is unique."""
    query = select(Plugin.id).where(
        Plugin.account_id == llm_client.account_id, Plugin.id.in_(plugin_ids)
    )
    present = set(db.session.scalars(query)) if plugin_ids else set()
    attached = {entry.plugin_id: entry for entry in llm_client.llmclientplugin_set}
    wanted = []
    for position, plugin_id in enumerate(one for one in plugin_ids if one in present):
        entry = attached.get(plugin_id) or LLMClientPlugin(plugin_id=plugin_id)
        entry.position, entry.is_on = position, True
        wanted.append(entry)
    llm_client.llmclientplugin_set = wanted


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """What changed from one configuration to another, in the order of the form."""
    compared = (difference(label, before.get(key), after.get(key)) for key, label in LABELS.items())
    return [found for found in compared if found is not None]


def difference(label: str, before: Any, after: Any) -> Difference | None:
    """How two values of one setting differ; None where they read the same."""
    old, new = _as_text(before), _as_text(after)
    return Difference(label, old, new, _line_differences(old, new)) if old != new else None


def in_words(llm_client: LLMClient, content: dict[str, Any]) -> dict[str, Any]:
    """The configuration with the names of its plugins in place of their numbers."""
    numbers = content.get("plugins", [])
    return {**content, "plugins": plugin_finding.names_of(llm_client.account_id, numbers)}


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value)


def _line_differences(old: str, new: str) -> list[tuple[str, str]]:
    compared = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3)
    lines = [line for line in compared if not line.startswith(("---", "+++", "@@"))]
    return [(line[0], line[1:]) for line in lines]
