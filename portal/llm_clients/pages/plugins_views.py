"""A client's tab "Plugins": which of the account's plugins it uses, in which order."""

from __future__ import annotations

from typing import Any

from flask import abort, g, redirect, render_template, request, url_for
from flask_login import current_user

from portal.accounts import audit
from portal.database import db
from portal.llm_clients import plugin_attaching, revisions
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages.views import blueprint, editable_or_403, may_edit, owned_or_404
from portal.plugins import finding
from portal.plugins.forms import SELECTORS
from portal.plugins.models import Plugin
from portal.web import MEMBER, VIEWER, FormActor, permits, said


@blueprint.get("/<public_id:llm_client_id>/plugins", endpoint="plugins")
@permits(VIEWER)
def plugin_list(llm_client_id: str) -> str:
    """What the client uses, and what it could."""
    llm_client = owned_or_404(llm_client_id)
    can_edit = may_edit(llm_client)
    return render_template(
        "llm_clients/plugins.html",
        llm_client=llm_client,
        attached=plugin_attaching.attached_to(llm_client),
        attachable=plugin_attaching.attachable_to(llm_client, g.account) if can_edit else [],
        selectors=SELECTORS,
        can_edit=can_edit,
    )


def _both(llm_client_id: str, plugin_id: int) -> tuple[LLMClient, Plugin]:
    """A client that the person may change, held, and a plugin of the account."""
    llm_client = editable_or_403(llm_client_id)
    plugin = finding.for_account(g.account, plugin_id)
    if plugin is None:
        abort(404)
    plugin_attaching.lock(llm_client)
    return llm_client, plugin


def _done(llm_client: LLMClient, plugin: Plugin, changed: bool, words: str) -> Any:
    """Take the revision of a change, tell it, and go back to the tab."""
    if changed:
        db.session.flush()
        note = f"{plugin.name} {words}"[:255]
        revision = revisions.take(llm_client, current_user, note)
        told = {"plugin": plugin.name, "change": words}
        audit.record(FormActor(), "plugins_changed", llm_client, after=told)
        db.session.commit()
        number = f" in revision {revision.number}" if revision else ""
        said(f"{plugin.name} is {words}{number}. Visitors keep the published one.")
    return redirect(url_for(".plugins", llm_client_id=llm_client.hashed_id), 303)


@blueprint.post("/<public_id:llm_client_id>/plugins/<row_id:plugin_id>/attach")
@permits(MEMBER)
def attach_plugin(llm_client_id: str, plugin_id: int) -> Any:
    """Let the client use a plugin."""
    llm_client, plugin = _both(llm_client_id, plugin_id)
    changed = plugin_attaching.attach(llm_client, plugin)
    if not changed and plugin_attaching.entry_of(llm_client, plugin_id) is None:
        said(f"A client uses at most {plugin_attaching.MOST_PLUGINS} plugins.", "attention")
    return _done(llm_client, plugin, changed, "attached")


@blueprint.post("/<public_id:llm_client_id>/plugins/<row_id:plugin_id>/detach")
@permits(MEMBER)
def detach_plugin(llm_client_id: str, plugin_id: int) -> Any:
    """Take a plugin from the client."""
    llm_client, plugin = _both(llm_client_id, plugin_id)
    changed = plugin_attaching.detach(llm_client, plugin_id)
    return _done(llm_client, plugin, changed, "detached")


@blueprint.post("/<public_id:llm_client_id>/plugins/<row_id:plugin_id>/switch")
@permits(MEMBER)
def switch_plugin(llm_client_id: str, plugin_id: int) -> Any:
    """Turn an attached plugin on or off (`is_on`: on or off)."""
    llm_client, plugin = _both(llm_client_id, plugin_id)
    is_on = request.form.get("is_on") == "on"
    changed = plugin_attaching.switch(llm_client, plugin_id, is_on=is_on)
    return _done(llm_client, plugin, changed, "turned on" if is_on else "turned off")


@blueprint.post("/<public_id:llm_client_id>/plugins/<row_id:plugin_id>/move-up")
@permits(MEMBER)
def move_plugin_up(llm_client_id: str, plugin_id: int) -> Any:
    """Let a plugin come one place earlier."""
    llm_client, plugin = _both(llm_client_id, plugin_id)
    changed = plugin_attaching.move_up(llm_client, plugin_id)
    return _done(llm_client, plugin, changed, "moved up")
