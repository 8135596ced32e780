"""The forms of custom domains."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, PasswordField, RadioField, StringField
from wtforms.validators import InputRequired, Length, Regexp

from portal.custom_domains.models import LLMClientCustomDomain
from portal.dns import ZONE_EDITORS, SettingField, zone_editor_class
from portal.form_rules import MAIL_ADDRESS, without_nul

LONGEST_SETTING = 1000
FIELD = "setting_"
KINDS = ",".join(ZONE_EDITORS)


class NewDomainForm(FlaskForm):
    """One field; the box is shown only where another account holds the name."""

    domain_name = StringField(
        "Domain", [InputRequired("Enter a domain."), Length(max=500), without_nul]
    )
    owns_it_now = BooleanField("I own this domain now")


class AttachForm(FlaskForm):
    """Which client comes to the domain."""

    llm_client = RadioField("LLM client", [InputRequired("Choose a client.")])
    uses_bare_domain = BooleanField("Also at the bare domain")

    def __init__(self, choices: list[tuple[str, str]], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.llm_client.choices = choices


class ChooseDomainForm(FlaskForm):
    """Which domain a client goes to."""

    custom_domain = RadioField("Domain", [InputRequired("Choose a domain.")])
    uses_bare_domain = BooleanField("Also at the bare domain")

    def __init__(self, choices: list[tuple[str, str]], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.custom_domain.choices = choices


class RemoveForm(FlaskForm):
    """Typing the name, because hosts that people know stop working."""

    confirm_name = StringField("Type the domain to remove it", [InputRequired("Type the domain.")])


class MailForm(FlaskForm):
    """Who gets the set-up link."""

    to_address = EmailField(
        "Mail address",
        [
            InputRequired("Enter the mail address."),
            Length(max=254),
            Regexp(MAIL_ADDRESS, message="This is not a mail address."),
        ],
    )


class OptionsForm(FlaskForm):
    """Which of the optional records are wanted."""

    wants_wildcard = BooleanField("One wildcard record for all clients")
    wants_delegation = BooleanField("Delegate the certificate challenge")


class ZoneEditorForm(FlaskForm):
    """The settings of one zone editor, a field for each that it describes; see `editor_form`."""

    def values(self) -> dict[str, str]:
        """What was typed, by the names of the settings."""
        return {
            field.name.removeprefix(FIELD): (field.data or "").strip()
            for field in self
            if field.name.startswith(FIELD)
        }


def editor_form(custom_domain: LLMClientCustomDomain, kind: str, **options: Any) -> ZoneEditorForm:
    """The form of an editor with what is stored of its settings; secrets stay where they are."""
    is_chosen = custom_domain.zone_editor == kind
    known = custom_domain.zone_editor_settings if is_chosen else {}
    has_secrets = is_chosen and bool(custom_domain.sealed_settings)
    fields = {FIELD + one.name: _field(one, has_secrets) for one in settings_of(kind)}
    form_class = type("BoundZoneEditorForm", (ZoneEditorForm,), fields)
    data = {FIELD + name: value for name, value in known.items()}
    form: ZoneEditorForm = form_class(data=data, **options)
    return form


def _field(one: SettingField, has_secrets: bool) -> Any:
    checks: list[Any] = [Length(max=LONGEST_SETTING), without_nul]
    if one.required and not (one.secret and has_secrets):
        checks.insert(0, InputRequired(f"{one.label} is needed."))
    return (PasswordField if one.secret else StringField)(one.label, checks)


def settings_of(kind: str) -> tuple[SettingField, ...]:
    """What an editor describes; the zone itself we know already."""
    return tuple(one for one in zone_editor_class(kind).settings if one.name != "zone")


def kinds_offered(is_local: bool) -> dict[str, str]:
    """The editors that a customer may choose; the embedded one only on a developer's machine."""
    return {kind: label for kind, (label, _) in ZONE_EDITORS.items() if is_local or kind != "local"}
