"""The account's plugins: list, add, change, test, delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError

from portal.accounts import audit
from portal.database import db, utc_now
from portal.formatting import StatusView
from portal.job_queue import enqueue
from portal.plugins import finding, parameters, static, storing, testing, uses
from portal.plugins.forms import FORMS, SELECTORS, ConfirmForm, PluginForm, form_of
from portal.plugins.jobs import call_plugin
from portal.plugins.models import Plugin, PluginTest
from portal.plugins.parameters import Parameter, PluginError
from portal.web import ADMIN, VIEWER, FormActor, not_modified, permits, said

blueprint = Blueprint("plugins", __name__, url_prefix="/plugins")
POLL_MS = 1000
VALUE = "value_"
KINDS = {
    Plugin.Kinds.STATIC: ("Static data", "Facts as JSON that stand in the plugin itself."),
    Plugin.Kinds.API: ("HTTP interface", "Asks an address on the internet, with values in it."),
    Plugin.Kinds.SQL: ("Database", "Reads rows with one SELECT, and can change nothing."),
}


@dataclass(frozen=True)
class Row:
    """A plugin in the list."""

    plugin: Plugin
    kind: str
    selector: str
    used_by: int
    status: StatusView
    test: PluginTest | None


def owned_or_404(plugin_id: int) -> Plugin:
    """The account's plugin, locked where it is about to be changed."""
    found = finding.for_account(g.account, plugin_id, lock=request.method == "POST")
    if found is None:
        abort(404)
    return found


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """All of them by name."""
    plugins = finding.all_of(g.account)
    tests, used = testing.states_of(plugins), uses.counts(g.account)
    rows = [_row(plugin, tests.get(plugin.id), used[plugin.id]) for plugin in plugins]
    return render_template("plugins/index.html", rows=rows, kinds=KINDS)


def _row(plugin: Plugin, test: PluginTest | None, used_by: int) -> Row:
    status = testing.LOOKS[test.state if test else ""]
    kind, selector = KINDS[plugin.kind][0], SELECTORS[plugin.selector]
    return Row(plugin, kind, selector, used_by, status, test)


@blueprint.get("/new")
@permits(ADMIN)
def choose() -> str:
    """Which kind it shall be."""
    return render_template("plugins/choose.html", kinds=KINDS)


@blueprint.route("/new/<any(static,api,sql):kind>", methods=["GET", "POST"])
@permits(ADMIN)
def new(kind: str) -> Any:
    """Add a plugin of a kind."""
    form = FORMS[kind](data={"selector": Plugin.Selectors.LLM})
    if form.validate_on_submit():
        plugin = Plugin(account_id=g.account.id, kind=Plugin.Kinds(kind))
        if _store(plugin, form, "created"):
            said(f"{plugin.name} is added. Test it, then attach it to a client.")
            return redirect(url_for(".edit", plugin_id=plugin.id), 303)
    return _form_page(form, kind)


def _store(plugin: Plugin, form: PluginForm, action: str) -> bool:
    """Write the checked form and commit; False where the account has one of that name."""
    has_secret = "secret" in form
    try:
        storing.store(
            plugin,
            form.columns(),
            form["secret"].data if has_secret else "",
            action,
            FormActor(),
            has_secret=has_secret,
            removes_secret=has_secret and bool(form["removes_secret"].data),
        )
    except IntegrityError:
        db.session.rollback()
        form.name.errors = [*form.name.errors, "The account has a plugin of this name."]
        return False
    db.session.commit()
    return True


def _form_page(form: PluginForm, kind: str, plugin: Plugin | None = None, **more: Any) -> Any:
    page = render_template(
        "plugins/edit.html",
        form=form,
        kind=kind,
        kind_label=KINDS[Plugin.Kinds(kind)][0],
        plugin=plugin,
        has_secret=bool(plugin and plugin.sealed_secret),
        **{"test_error": "", **(_test_part(plugin) if plugin else {}), **more},
    )
    return page, (422 if form.errors or more.get("test_error") else 200)


@blueprint.route("/<row_id:plugin_id>/", methods=["GET", "POST"])
@permits(ADMIN)
def edit(plugin_id: int) -> Any:
    """Change a plugin; clients use it as it is saved."""
    plugin = owned_or_404(plugin_id)
    form = form_of(plugin)
    if form.validate_on_submit():
        if _store(plugin, form, "changed"):
            said(f"{plugin.name} is saved. Clients use it like this from now on.")
            return redirect(url_for(".edit", plugin_id=plugin_id), 303)
        plugin = owned_or_404(plugin_id)
    return _form_page(form, plugin.kind.value, plugin)


def _asked_values(plugin: Plugin) -> tuple[Parameter, ...]:
    """What the test form asks for."""
    if plugin.kind == Plugin.Kinds.STATIC:
        has_keys = static.schema_of(plugin.content)["properties"]
        return (Parameter(static.KEY, description="Empty for all of it."),) if has_keys else ()
    return parameters.of_content(plugin.content)


def _test_part(plugin: Plugin) -> dict[str, Any]:
    test = testing.test_of(plugin)
    is_running = test is not None and test.state == testing.RUNNING
    return {
        "asked_values": _asked_values(plugin),
        "values": {name: _typed(value) for name, value in (test.arguments if test else {}).items()},
        "test": test,
        "test_status": testing.LOOKS[test.state if test else ""],
        "poll_url": url_for(".status", plugin_id=plugin.id),
        "poll_after_ms": POLL_MS if is_running else None,
    }


def _typed(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@blueprint.get("/<row_id:plugin_id>/status")
@permits(ADMIN)
def status(plugin_id: int) -> Any:
    """The result of the test alone, asked for while it runs."""
    plugin = owned_or_404(plugin_id)
    return not_modified(render_template("plugins/_test.html", plugin=plugin, **_test_part(plugin)))


@blueprint.post("/<row_id:plugin_id>/test")
@permits(ADMIN)
def test(plugin_id: int) -> Any:
    """Call it in the background with the values of the form."""
    plugin = owned_or_404(plugin_id)
    asked = _asked_values(plugin)
    typed = {one.name: request.form.get(VALUE + one.name, "")[:4_000] for one in asked}
    try:
        values = parameters.read(asked, typed)
    except PluginError as error:
        problem = error.public_message
        form = form_of(plugin, formdata=None)
        return _form_page(form, plugin.kind.value, plugin, test_error=problem, values=typed)
    begun = testing.begin(plugin, values, utc_now())
    enqueue(call_plugin, begun.id, key=f"{begun.id}-{begun.generation}")
    audit.record(FormActor(), "plugin_tested", plugin)
    db.session.commit()
    return redirect(url_for(".edit", plugin_id=plugin_id, _anchor="test"), 303)


@blueprint.route("/<row_id:plugin_id>/delete", methods=["GET", "POST"])
@permits(ADMIN)
def delete(plugin_id: int) -> Any:
    """Delete a plugin and its secret; the clients that use it go on without."""
    plugin, form = owned_or_404(plugin_id), ConfirmForm()
    if form.validate_on_submit():
        audit.record(FormActor(), "plugin_deleted", plugin)
        db.session.delete(plugin)
        db.session.commit()
        said(f"{plugin.name} is deleted.")
        return redirect(url_for(".index"), 303)
    clients = uses.clients_of(plugin)
    return render_template("plugins/delete.html", plugin=plugin, form=form, clients=clients)
