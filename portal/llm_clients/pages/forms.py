"""The form of a client's configuration. Status fields are not in it: only jobs write those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FloatField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from portal.form_rules import without_nul
from portal.llm_clients.image_making import BACKGROUND, LOGO
from portal.llm_clients.models import LLMClientFunctions
from portal.llm_clients.pages.form_fields import (
    CommaField,
    ImageField,
    JSONObjectField,
    LinesField,
    semantic_version,
    web_address,
)
from portal.providers.models import Provider

NO_PROVIDER = "The account has no provider yet. An admin adds one under Providers."
MOST_EXAMPLES = 6
MOST_TAGS = 20
FUNCTION_LABELS = {
    LLMClientFunctions.Choices.GET_CURRENT_WEATHER: "Current weather",
    LLMClientFunctions.Choices.DATE_CALCULATOR: "Date calculator",
    LLMClientFunctions.Choices.CALCULATOR: "Calculator",
}


def at_most(length: int) -> Length:
    return Length(max=length, message=f"Must be at most {length:,} characters.")


class FunctionsField(SelectMultipleField):
    """Built-in functions, each on or off; a name that is none of them is told."""

    def pre_validate(self, form: Any) -> None:
        unknown = set(self.data or []) - {choice.value for choice in FUNCTION_LABELS}
        if unknown:
            raise ValidationError(f"There is no function named {', '.join(sorted(unknown))}.")


class LLMClientForm(FlaskForm):
    """What an admin decides about a client; `providers` are those of the account;

    `name_problem` says why a name cannot be its address, "" if it can."""

    name = StringField("Name", [InputRequired("Give the client a name."), at_most(255)])
    description = StringField("Description", [at_most(2000), without_nul])
    version = StringField("Version", [at_most(64), semantic_version])
    tags = CommaField("Tags", [without_nul])
    annotations = JSONObjectField("Annotations")
    provider = SelectField("Provider")
    default_model = StringField("Model", [at_most(200), without_nul])
    fallback_provider = SelectField("Fallback provider")
    fallback_model = StringField("Fallback model", [at_most(200), without_nul])
    default_system_role = TextAreaField("System role", [at_most(100_000), without_nul])
    default_temperature = FloatField("Temperature", [NumberRange(0, 2, "Must be between 0 and 2")])
    default_max_tokens = IntegerField("Max tokens")
    app_name = StringField("Title", [at_most(255), without_nul])
    app_assistant = StringField("Assistant’s name", [at_most(255), without_nul])
    app_welcome_message = TextAreaField("Welcome message", [at_most(5000), without_nul])
    app_placeholder = StringField("Placeholder", [at_most(255), without_nul])
    app_info_url = StringField("Information link", [web_address])
    app_example_prompts = LinesField("Example prompts", [without_nul])
    app_logo_url = StringField("Logo", [web_address])
    app_background_image_url = StringField("Background image", [web_address])
    app_logo_file = ImageField("Logo from a file", kind=LOGO)
    app_logo_remove = BooleanField("Remove the uploaded logo")
    app_background_file = ImageField("Background from a file", kind=BACKGROUND)
    app_background_remove = BooleanField("Remove the uploaded background")
    app_file_attachment = BooleanField("Visitors may attach files")
    functions = FunctionsField(
        "Functions",
        choices=[
            SelectChoice(value=choice.value, label=label)
            for choice, label in FUNCTION_LABELS.items()
        ],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    note = StringField("What changed", [at_most(255), without_nul])

    def __init__(
        self, providers: list[Provider], name_problem: Callable[[str], str], **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self._name_problem = name_problem
        self.providers = {provider.name: provider for provider in providers}
        self.provider.choices = [
            SelectChoice(value=provider.name, label=provider.label or provider.name)
            for provider in providers
        ]
        self.fallback_provider.choices = [
            SelectChoice(value="", label="None"),
            *self.provider.choices,
        ]
        if not providers:
            self.provider.choices = [SelectChoice(value="", label="None yet")]
        self.fallback_provider.data = self.fallback_provider.data or ""
        for field in (self.provider, self.fallback_provider):
            chosen = field.data or ""
            if chosen and chosen not in self.providers:
                # Shown as it is: a browser would choose another in silence.
                absent = SelectChoice(value=chosen, label=f"{chosen}, not in this account")
                field.choices = [*field.choices, absent]
        self.name.data = (self.name.data or "").strip()

    def ask_for_files_again(self) -> None:
        """A browser sends a file once: whoever corrects another field has to choose it anew."""
        if not self.errors:
            return
        for field in (self.app_logo_file, self.app_background_file):
            if field.is_chosen and not field.errors:
                field.errors = ["Nothing was saved yet. Choose the file again."]

    def validate_name(self, field: StringField) -> None:
        problem = self._name_problem(field.data or "")
        if problem:
            raise ValidationError(problem)

    def validate_provider(self, field: SelectField) -> None:
        if not self.providers:
            raise ValidationError(NO_PROVIDER)
        if field.data not in self.providers:
            raise ValidationError("The account has no such provider. Choose one of the list.")

    def validate_fallback_provider(self, field: SelectField) -> None:
        if field.data and field.data not in self.providers:
            raise ValidationError("The account has no such provider. Choose one of the list.")

    def validate_fallback_model(self, field: StringField) -> None:
        provider = self.providers.get(self.fallback_provider.data or "")
        field.data = (field.data or "").strip() if provider else ""
        if provider is None:
            return
        field.data = field.data or provider.default_model
        if not field.data:
            raise ValidationError("Name a model; this provider has no default.")

    def validate_default_max_tokens(self, field: IntegerField) -> None:
        provider = self.providers.get(self.provider.data or "")
        most = provider.most_tokens(self.default_model.data or "") if provider else 1_048_576
        if field.data is None or not 1 <= field.data <= most:
            field.errors = []
            raise ValidationError(f"Must be between 1 and {most:,}")

    def validate_default_temperature(self, field: FloatField) -> None:
        if field.data is None or field.data != field.data:
            field.errors = []
            raise ValidationError("Must be between 0 and 2")

    def validate_default_model(self, field: StringField) -> None:
        provider = self.providers.get(self.provider.data or "")
        if provider is None:
            return
        field.data = (field.data or "").strip() or provider.default_model
        if not field.data:
            raise ValidationError("Name a model; this provider has no default.")
        if provider.is_demo and field.data not in provider.model_names:
            raise ValidationError(f"The demo provider has only {', '.join(provider.model_names)}.")

    def validate_app_example_prompts(self, field: LinesField) -> None:
        if len(field.data or []) > MOST_EXAMPLES:
            raise ValidationError(f"At most {MOST_EXAMPLES} example prompts.")
        if any(len(line) > 500 for line in field.data or []):
            raise ValidationError("Each example must be at most 500 characters.")

    def validate_tags(self, field: CommaField) -> None:
        if len(field.data or []) > MOST_TAGS:
            raise ValidationError(f"At most {MOST_TAGS} tags.")
        if any(len(tag) > 50 for tag in field.data or []):
            raise ValidationError("Each tag must be at most 50 characters.")


class CloneForm(FlaskForm):
    """The name of the copy."""

    name = StringField("Name of the copy", [InputRequired("Give the copy a name."), at_most(255)])


class DeleteForm(FlaskForm):
    """Typing the name, since this cannot be undone."""

    confirm_name = StringField("Type the name of the client")


class ConfirmForm(FlaskForm):
    """Only the token that every POST carries."""
