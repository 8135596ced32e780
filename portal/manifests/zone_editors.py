"""The kind ZoneEditor: who publishes a domain's records; its secrets are named, never told."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from portal.accounts.models import Account
from portal.custom_domains import zone_editing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import current_settings
from portal.dns import ZONE_EDITORS
from portal.domain_setup import editor_rules, finding, zone_choices
from portal.domain_setup.adding import LOCAL
from portal.domain_setup.forms import FIELD, ZoneEditorForm, editor_form, kinds_offered, settings_of
from portal.domain_setup.zone_choices import MANUAL
from portal.manifests.domains import DomainKind
from portal.manifests.fields import Field, Types, metadata, status
from portal.manifests.kind import NO_CSRF, Kind, Person, Refused, Values
from portal.vault import named
from portal.vault.sealing import SealError

ABSENT = "The account has no such custom domain yet: apply this again when it has."
BY_ITSELF = (MANUAL, LOCAL)  # what a new domain has without a choice
OPTIONS = ("wantsWildcard", "wantsDelegation")


class ZoneEditorKind(Kind):
    """Of a custom domain, found by its name."""

    name = "ZoneEditor"
    about = "Who publishes the records of a custom domain, and which of the optional ones."
    fields = (
        metadata("name", "The custom domain, such as example.com."),
        Field("editor", "Who publishes; manual for people.", choices=tuple(ZONE_EDITORS)),
        Field("settings", "What the editor wants to know, by its own names.", Types.TEXTS),
        Field("secrets", "Names of the secrets that it wants, by its own names.", Types.TEXTS),
        Field("wantsWildcard", "One wildcard record for all clients.", Types.BOOLEAN),
        Field("wantsDelegation", "Delegate the certificate challenge.", Types.BOOLEAN),
        status("hasSecrets", "Whether secrets are stored.", Types.BOOLEAN),
    )

    def find(self, given: Values, person: Person) -> LLMClientCustomDomain | None:
        found = DomainKind().find(given, person)
        is_going = found is not None and found.state == LLMClientCustomDomain.States.REMOVING
        return None if is_going else found

    def all_of(self, account: Account) -> list[LLMClientCustomDomain]:
        """Those of which somebody has chosen something."""
        removing = LLMClientCustomDomain.States.REMOVING
        return [
            one
            for one in finding.all_of(account)
            if one.state != removing
            and (one.zone_editor not in BY_ITSELF or one.wants_wildcard or one.wants_delegation)
        ]

    def read(self, row: LLMClientCustomDomain) -> Values:
        return {
            "name": row.domain_name,
            "editor": row.zone_editor,
            "settings": {
                one.name: str(row.zone_editor_settings[one.name])
                for one in settings_of(row.zone_editor)
                if not one.secret and row.zone_editor_settings.get(one.name)
            },
            "secrets": _named(row),
            "wantsWildcard": row.wants_wildcard,
            "wantsDelegation": row.wants_delegation,
        }

    def status(self, row: LLMClientCustomDomain) -> Values:
        return {"hasSecrets": bool(row.sealed_settings)}

    def left_out(self, row: LLMClientCustomDomain | None, given: Values, person: Person) -> str:
        """An export has no secret that was typed in: the rest of it shall be possible."""
        if row is None:
            return ABSENT
        kind, present = given.get("editor", row.zone_editor), given.get("secrets", {})
        if row.zone_editor == kind:
            return ""
        if kind not in kinds_offered(current_settings().is_local):
            return f"{kind} is not offered here."
        secret = {one.name: one.required for one in settings_of(kind) if one.secret}
        missing = [name for name, is_needed in secret.items() if is_needed and name not in present]
        if not missing or set(present) - secret.keys():
            return ""
        return f"It needs {', '.join(missing)}: name a secret under secrets, or use its page."

    def first_values(self, given: Values, person: Person) -> Values:
        raise Refused("name", ABSENT)

    def sent(self, values: Values) -> MultiDict[str, str]:
        kind = values["editor"]
        known = {one.name: one for one in settings_of(kind)}
        found: MultiDict[str, str] = MultiDict({"editor": kind})
        for part, is_secret in (("settings", False), ("secrets", True)):
            for name, value in values[part].items():
                if name not in known:
                    there = ", ".join(known) or "none"
                    raise Refused(part, f"{kind} has no setting {name[:60]}. It has {there}.")
                if known[name].secret != is_secret:
                    where = "secrets, by the name of one" if known[name].secret else "settings"
                    raise Refused(part, f"{name} belongs into {where}.")
                found[FIELD + name] = named.PREFIX + value if is_secret else value
        return found

    def form_of(
        self, sent: MultiDict[str, str], row: LLMClientCustomDomain, person: Person
    ) -> ZoneEditorForm:
        return editor_form(row, sent.pop("editor"), formdata=sent, meta=NO_CSRF)

    def settle(
        self, row: LLMClientCustomDomain, form: Any, values: Values, person: Person
    ) -> Values:
        kind = values["editor"]
        if not editor_rules.accepts(form, row, kind):
            raise Refused("editor", " ".join(form.form_errors))
        known = _named(row) if row.zone_editor == kind else {}
        typed = form.values()
        settings = {
            one.name: typed[one.name]
            for one in settings_of(kind)
            if not one.secret and typed.get(one.name)
        }
        return {**values, "settings": settings, "secrets": {**known, **values["secrets"]}}

    def store(
        self,
        row: LLMClientCustomDomain,
        form: Any,
        values: Values,
        changed: set[str],
        person: Person,
    ) -> LLMClientCustomDomain:
        if changed - set(OPTIONS):
            zone_choices.choose(row, values["editor"], form.values(), person.actor, person.now)
        if changed & set(OPTIONS):
            zone_choices.set_options(
                row,
                person.actor,
                person.now,
                wants_wildcard=values["wantsWildcard"],
                wants_delegation=values["wantsDelegation"],
            )
        return row


def _named(row: LLMClientCustomDomain) -> dict[str, str]:
    """The secrets that have a name, by the settings that they are for."""
    try:
        values = zone_editing.typed_values(row)
    except SealError:
        return {}
    secret = [one.name for one in settings_of(row.zone_editor) if one.secret]
    return {name: told for name in secret if (told := named.name_in(values.get(name, "")))}
