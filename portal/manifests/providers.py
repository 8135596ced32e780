"""The kind Provider: where models answer, which they are, which secret holds the key."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.accounts.models import Account
from portal.database import db
from portal.manifests.fields import Field, Types, metadata, status
from portal.manifests.kind import NO_CSRF, Kind, Person, Refused, Values
from portal.providers import finding, storing
from portal.providers.forms import ProviderForm
from portal.providers.model_lines import text_of
from portal.providers.models import Provider
from portal.vault import named

MICROS = Decimal(1_000_000)
NO_KEY = "It has no key yet: name a secret in apiKeySecret, or enter the key on its page."
# Names in a manifest, the parts of a model's row, and whether they are prices in millionths.
MODEL = {
    "name": ("name", False),
    "contextTokens": ("context_tokens", False),
    "maxOutputTokens": ("max_output_tokens", False),
    "inputPrice": ("input_price", True),
    "outputPrice": ("output_price", True),
}
_MODEL_FIELDS = (
    Field("name", "As the provider calls it."),
    Field("contextTokens", "What it reads at once.", Types.INTEGER, is_nullable=True),
    Field("maxOutputTokens", "Its longest answer.", Types.INTEGER, is_nullable=True),
    Field("inputPrice", "Of a million tokens in, in the currency.", Types.NUMBER, is_nullable=True),
    Field("outputPrice", "Of a million tokens out.", Types.NUMBER, is_nullable=True),
)


class ProviderKind(Kind):
    """Providers, found by name. The demo provider of every account is none of them."""

    name = "Provider"
    about = "An endpoint that speaks the OpenAI chat protocol, with its models and their prices."
    form_class = ProviderForm
    outdates = ("providers",)
    fields = (
        metadata("name", "What clients call it: lower-case letters, digits and -.", form="name"),
        Field("baseUrl", "Its address, such as https://api.example.com/v1.", form="base_url"),
        Field("defaultModel", "For clients that name none.", form="default_model"),
        Field(
            "models",
            "What clients are offered.",
            Types.OBJECTS,
            form="models",
            fields=_MODEL_FIELDS,
        ),
        Field("apiKeySecret", "Name of the secret with its key.", form="api_key", is_secret=True),
        status("id", "Its number.", Types.INTEGER),
        status("hasKey", "Whether a key is stored.", Types.BOOLEAN),
        status("keyHint", "The end of that key."),
        status("checkState", "What its last test said: works, unsure, failed or nothing."),
        status("foundModels", "What the provider told at that test.", Types.STRINGS),
    )

    def find(self, given: Values, person: Person) -> Provider | None:
        query = select(Provider).where(
            Provider.account_id == person.account.id, Provider.name == str(given.get("name") or "")
        )
        held = query.with_for_update(of=Provider).execution_options(populate_existing=True)
        return db.session.scalar(held)

    def all_of(self, account: Account) -> list[Provider]:
        return [provider for provider in finding.all_of(account) if not provider.is_demo]

    def read(self, row: Provider) -> Values:
        return {
            "name": row.name,
            "baseUrl": row.base_url,
            "defaultModel": row.default_model,
            "models": [_object(model) for model in row.models],
            "apiKeySecret": named.name_in(finding.typed_key(row)),
        }

    def status(self, row: Provider) -> Values:
        return {
            "id": row.id,
            "hasKey": row.credential is not None,
            "keyHint": row.credential.hint if row.credential else "",
            "checkState": row.check_state,
            "foundModels": list(row.found_models),
        }

    def first_values(self, given: Values, person: Person) -> Values:
        return {"name": "", "baseUrl": "", "defaultModel": "", "models": [], "apiKeySecret": ""}

    def sent(self, values: Values) -> MultiDict[str, str]:
        found = super().sent({**values, "models": None})
        found["models"] = text_of([_row(model) for model in values["models"]])
        return found

    def form_of(
        self, sent: MultiDict[str, str], row: Provider | None, person: Person
    ) -> ProviderForm:
        keyed_url = row.base_url if row is not None and row.credential else ""
        return ProviderForm(keyed_url=keyed_url, formdata=sent, meta=NO_CSRF)

    def settle(self, row: Any, form: ProviderForm, values: Values, person: Person) -> Values:
        found = super().settle(row, form, values, person)
        columns = form.columns()
        found["defaultModel"] = columns["default_model"]
        found["models"] = [_object(model) for model in columns["models"]]
        return found

    def remarks(
        self, row: Provider | None, given: Values, changed: set[str], person: Person
    ) -> list[str]:
        has_one = bool(given.get("apiKeySecret")) or (row is not None and row.credential)
        return [] if has_one or not changed else [NO_KEY]

    def store(
        self,
        row: Provider | None,
        form: ProviderForm,
        values: Values,
        changed: set[str],
        person: Person,
    ) -> Provider:
        action = "created" if row is None else "changed"
        provider = row or storing.new(person.account.id, form.name.data or "")
        key = form.api_key.data or ""
        storing.store(provider, form.columns(), key, action, person.actor, person.now)
        return provider


def _object(model: dict[str, Any]) -> Values:
    """A model's row as a manifest has it; what is not known is left out."""
    found = {name: model.get(part) for name, (part, _) in MODEL.items()}
    for name, (_, is_price) in MODEL.items():
        if is_price and found[name] is not None:
            found[name] = units(int(found[name]))
    return {name: value for name, value in found.items() if value is not None}


def _row(model: Values) -> dict[str, Any]:
    """And back. Raises Refused for what no line of the form could hold."""
    found: dict[str, Any] = {}
    for name, (part, is_price) in MODEL.items():
        if (value := model.get(name)) is not None:
            found[part] = micros("models", value) if is_price else value
    shown = str(found.setdefault("name", ""))
    if "|" in shown or len(shown.splitlines()) > 1:
        raise Refused("models", f"{shown[:60]} is not the name of a model.")
    return found


def units(amount: int) -> int | float:
    """Millionths as units of the currency."""
    whole, rest = divmod(amount, int(MICROS))
    return float(Decimal(amount) / MICROS) if rest else whole


def micros(field: str, value: float) -> int:
    """Units of the currency as millionths. Raises Refused for finer or impossible amounts."""
    amount = Decimal(str(value)) * MICROS
    if not amount.is_finite() or amount < 0 or amount != amount.to_integral_value():
        raise Refused(field, f"{value} is not an amount with at most six decimals.")
    return int(amount)
