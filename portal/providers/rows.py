"""What the pages of the providers tell of one: its key, its test, its models and their prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from portal.formatting import StatusView, exact_decimal, sign_of
from portal.llm_providers.catalogue import VENDORS, Vendor
from portal.providers import checking, finding
from portal.providers.models import Provider
from portal.providers.prices import NOTED_IN, OWN, Price, price_of


@dataclass(frozen=True)
class Row:
    """One provider of the list."""

    name: str
    label: str
    base_url: str
    default_model: str
    default_price: str
    has_key: bool
    needs_key: bool
    key_hint: str
    is_demo: bool
    used_by: int
    check_status: StatusView
    check_sentence: str
    checked_at: datetime | None
    show_url: str
    edit_url: str | None
    delete_url: str | None
    test_url: str | None


@dataclass(frozen=True)
class ModelRow:
    """One model with what is known of it; words are empty where nothing is."""

    name: str
    context_tokens: int
    max_output_tokens: int
    input_price: str
    output_price: str
    noted: str
    is_own: bool = False
    is_default: bool = False


@dataclass(frozen=True)
class Card:
    """A vendor to choose from."""

    label: str
    about: str
    key: str
    icon: str
    models: int
    url: str


def row_of(provider: Provider, used_by: int, currency: str) -> Row:
    """What the list tells of a provider."""
    credential, vendor = provider.credential, provider.vendor
    price = _noted_price(provider, provider.default_model)

    def url(action: str) -> str | None:
        return None if provider.is_demo else url_for(f".{action}", provider_id=provider.id)

    return Row(
        name=provider.name,
        label=provider.label or provider.name,
        base_url=finding.base_url_of(provider),
        default_model=provider.default_model,
        default_price=price_words(price, currency),
        has_key=credential is not None,
        needs_key=vendor.needs_key if vendor else True,
        key_hint=credential.hint if credential else "",
        is_demo=provider.is_demo,
        used_by=used_by,
        check_status=checking.LOOKS[provider.check_state],
        check_sentence=provider.message,
        checked_at=provider.checked_at,
        show_url=url_for(".show", provider_id=provider.id),
        edit_url=url("edit"),
        delete_url=url("delete"),
        test_url=url("test"),
    )


def price_words(price: Price | None, currency: str) -> str:
    """`US$ 0.15 in, US$ 0.60 out, noted 2026-09-07`, in the price's currency; empty for None."""
    if price is None:
        return ""
    if not price.input and not price.output and price.version != OWN:
        return "Free"
    cost_in, cost_out, noted = _two_prices(price, currency)
    return f"{cost_in} in, {cost_out} out, {f'noted {noted}' if noted else 'your own'}"


def model_rows(provider: Provider, currency: str) -> list[ModelRow]:
    """The models that clients are offered: those of the account, then those of the last test."""
    names = list(dict.fromkeys([*provider.model_names, provider.default_model]))
    return [_model_row(provider, name, currency) for name in names if name]


def vendor_models(vendor: Vendor) -> list[ModelRow]:
    """The models that the catalogue knows of a vendor, as the account would have them."""
    prices = {model.name: price_of([], vendor.name, model.name) for model in vendor.models}
    return [
        ModelRow(
            model.name,
            model.context_tokens,
            model.max_output_tokens,
            *_two_prices(prices[model.name], NOTED_IN),
        )
        for model in vendor.models
    ]


def offered_models(provider: Provider | None, vendor: Vendor | None) -> list[str]:
    """Names that could be entered and are not: told at the last test, or in the catalogue."""
    entered = {str(row["name"]) for row in provider.models} if provider else set()
    found = provider.found_models if provider else []
    known = [model.name for model in vendor.models] if provider and vendor else []
    return [name for name in dict.fromkeys([*found, *known]) if name not in entered]


def cards() -> list[Card]:
    """The vendors of the catalogue, without the demo, which every account has."""
    return [
        Card(
            label=vendor.label,
            about=vendor.about,
            key=_key_words(vendor),
            icon="key" if vendor.needs_key else "server-2",
            models=len(vendor.models),
            url=url_for(".new", vendor=vendor.name),
        )
        for vendor in VENDORS
        if vendor.name != "demo"
    ]


def _key_words(vendor: Vendor) -> str:
    if vendor.name == "own":
        return "With a key or without"
    return "Needs a key" if vendor.needs_key else "Needs no key"


def _model_row(provider: Provider, name: str, currency: str) -> ModelRow:
    price = _noted_price(provider, name)
    return ModelRow(
        name,
        provider.limit_of(name, "context_tokens"),
        provider.limit_of(name, "max_output_tokens"),
        *_two_prices(price, currency),
        is_own=price is not None and price.version == OWN,
        is_default=name == provider.default_model,
    )


def _noted_price(provider: Provider, name: str) -> Price | None:
    vendor = provider.vendor
    return price_of(provider.models, vendor.name if vendor else "", name)


def _two_prices(price: Price | None, currency: str) -> tuple[str, str, str]:
    if price is None:
        return "", "", ""
    if not price.input and not price.output and price.version != OWN:
        return "Free", "Free", ""
    noted = "" if price.version == OWN else price.version
    return _amount(price, price.input, currency), _amount(price, price.output, currency), noted


def _amount(price: Price, micros: int, currency: str) -> str:
    return f"{sign_of(currency if price.version == OWN else NOTED_IN)} {exact_decimal(micros)}"
