"""The kind Plugin: what clients may know or call, of three kinds with fields of their own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.accounts.models import Account
from portal.database import db
from portal.manifests.fields import Field, Types, metadata, status
from portal.manifests.kind import NO_CSRF, Kind, Person, Refused, Values
from portal.plugins import api, finding, storing
from portal.plugins.forms import FORMS, PluginForm, form_of
from portal.plugins.models import Plugin
from portal.plugins.parameters import BODY, PATH, QUERY, TYPES
from portal.vault import named

WITHOUT_ONE = "It has no secret yet: name one in secret, or enter it on its page."
STATIC, API, SQL = Plugin.Kinds.STATIC, Plugin.Kinds.API, Plugin.Kinds.SQL
# Which fields only these kinds have.
OF_KIND = {
    "data": {STATIC},
    "method": {API},
    "url": {API, SQL},
    "headers": {API},
    "secretHeader": {API},
    "statement": {SQL},
    "parameters": {API, SQL},
    "secret": {API, SQL},
}
EMPTY: Values = {"data": {}, "headers": {}, "parameters": [], "method": "GET"}
_PARAMETER_FIELDS = (
    Field("name", "As the model gives it."),
    Field("type", "What it is.", choices=TYPES),
    Field("where", "Where it goes; for an HTTP interface.", choices=(PATH, QUERY, BODY)),
    Field("required", "Whether it must be given.", Types.BOOLEAN),
    Field("description", "What it is, for the model."),
)


class PluginKind(Kind):
    """Plugins, found by name."""

    name = "Plugin"
    about = "What clients may know or call: static data, an HTTP interface, a database."
    form_class = FORMS[API]
    outdates = ("plugins",)
    fields = (
        metadata("name", "What clients call it.", form="name"),
        metadata("description", "What it is for; the model reads it.", form="description"),
        Field("kind", "Fixed when it is made.", choices=tuple(str(one) for one in Plugin.Kinds)),
        Field(
            "selector",
            "When it is used.",
            form="selector",
            choices=tuple(str(one) for one in Plugin.Selectors),
        ),
        Field("searchTerms", "For search_terms.", Types.STRINGS, form="search_terms"),
        Field("data", "Of a static one: what it knows.", Types.JSON, form="data"),
        Field("method", "Of an HTTP interface.", form="method", choices=api.METHODS),
        Field("url", "Address of the interface or the database.", form="url"),
        Field("headers", "Of an HTTP interface.", Types.TEXTS, form="headers"),
        Field("secretHeader", "Which header carries the secret.", form="secret_header"),
        Field("statement", "Of a database: one SELECT with :names.", form="statement"),
        Field(
            "parameters",
            "What the model gives, of all but static ones.",
            Types.OBJECTS,
            form="parameters",
            fields=_PARAMETER_FIELDS,
        ),
        Field("secret", "Name of the secret that it sends.", form="secret", is_secret=True),
        status("id", "Its number.", Types.INTEGER),
        status("hasSecret", "Whether a secret is stored.", Types.BOOLEAN),
    )

    def find(self, given: Values, person: Person) -> Plugin | None:
        query = select(Plugin).where(
            Plugin.account_id == person.account.id, Plugin.name == str(given.get("name") or "")
        )
        held = query.with_for_update().execution_options(populate_existing=True)
        return db.session.scalar(held)

    def all_of(self, account: Account) -> list[Plugin]:
        return finding.all_of(account)

    def read(self, row: Plugin) -> Values:
        return {
            "name": row.name,
            "description": row.description,
            "kind": row.kind.value,
            "selector": row.selector.value,
            "searchTerms": list(row.search_terms),
            **_own(row.kind, row.content),
            **_secret(row),
        }

    def status(self, row: Plugin) -> Values:
        return {"id": row.id, "hasSecret": bool(row.sealed_secret)}

    def first_values(self, given: Values, person: Person) -> Values:
        kind = given.get("kind")
        if kind is None:
            raise Refused("kind", "Say which kind of plugin it is: static, api or sql.")
        own = {name: EMPTY.get(name, "") for name, kinds in OF_KIND.items() if kind in kinds}
        shared = {"name": "", "description": "", "selector": "llm", "searchTerms": []}
        return {**shared, **own}

    def sent(self, values: Values) -> MultiDict[str, str]:
        for name, kinds in OF_KIND.items():
            if name in values and values["kind"] not in kinds:
                raise Refused(name, f"A plugin of the kind {values['kind']} has no {name}.")
        headers = values.get("headers", {})
        lines = [f"{name}: {value}" for name, value in headers.items()]
        if any(len(line.splitlines()) > 1 for line in lines):
            raise Refused("headers", "A header is one line.")
        found = super().sent({**values, "headers": "\n".join(lines), "parameters": ""})
        found.poplist("parameters")
        for number, parameter in enumerate(values.get("parameters", [])):
            _send_parameter(found, f"parameters-{number}-", parameter)
        return found

    def form_of(self, sent: MultiDict[str, str], row: Plugin | None, person: Person) -> PluginForm:
        kind = row.kind if row is not None else _kind_sent(sent)
        home = ""
        if row is not None and row.sealed_secret:
            home = form_of(row, formdata=None, meta=NO_CSRF).home()
        return FORMS[kind](home=home, formdata=sent, meta=NO_CSRF)

    def settle(
        self, row: Plugin | None, form: PluginForm, values: Values, person: Person
    ) -> Values:
        if row is not None and values["kind"] != row.kind.value:
            raise Refused("kind", f"It is of the kind {row.kind.value}, and stays so.")
        found = super().settle(row, form, values, person)
        columns = form.columns()
        found["description"] = columns["description"]
        return {**found, **_own(Plugin.Kinds(values["kind"]), columns["content"])}

    def remarks(
        self, row: Plugin | None, given: Values, changed: set[str], person: Person
    ) -> list[str]:
        is_missing = row is None and given.get("secretHeader") and not given.get("secret")
        return [WITHOUT_ONE] if is_missing else []

    def store(
        self,
        row: Plugin | None,
        form: PluginForm,
        values: Values,
        changed: set[str],
        person: Person,
    ) -> Plugin:
        action = "created" if row is None else "changed"
        kind = Plugin.Kinds(values["kind"])
        plugin = row or Plugin(account_id=person.account.id, kind=kind)
        secret = form["secret"].data or "" if "secret" in form else ""
        storing.store(
            plugin, form.columns(), secret, action, person.actor, has_secret="secret" in form
        )
        return plugin


def _secret(row: Plugin) -> Values:
    """The name of the secret, where its kind has one."""
    if row.kind not in OF_KIND["secret"]:
        return {}
    return {"secret": named.name_in(finding.typed_secret(row))}


def _own(kind: Plugin.Kinds, content: dict[str, Any]) -> Values:
    """What only its kind has, under the names of the manifest."""
    names = {"secretHeader": "secret_header"}
    found = {
        name: content.get(names.get(name, name), EMPTY.get(name, ""))
        for name, kinds in OF_KIND.items()
        if kind in kinds and name != "secret"
    }
    if "parameters" in found:
        found["parameters"] = [_shown(one, kind) for one in found["parameters"]]
    return found


def _shown(parameter: dict[str, Any], kind: Plugin.Kinds) -> Values:
    names = ("name", "type", "description", "required", *(("where",) if kind == API else ()))
    return {name: parameter[name] for name in names}


def _send_parameter(found: MultiDict[str, str], prefix: str, parameter: Values) -> None:
    for name in ("name", "type", "where", "description"):
        default = {"type": "string", "where": QUERY}.get(name, "")
        found[prefix + name] = str(parameter.get(name) or default)
    if parameter.get("required"):
        found[prefix + "required"] = "y"


def _kind_sent(sent: MultiDict[str, str]) -> Plugin.Kinds:
    """Only a static one has data, only a database a statement."""
    if "data" in sent:
        return STATIC
    return SQL if "statement" in sent else API
