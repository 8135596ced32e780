"""What tokens cost: an account's own price of a model, else the catalogue's. All integers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from portal.llm_providers.catalogue import vendor_named

OWN = "own"
NOTED_IN = "USD"
PER_TOKENS = 1_000_000
# How vendors call one issue of a model: -2024-07-18, -20250929, -2411, -0613, -001, -latest.
ISSUE = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{3,4}|latest)\Z")


@dataclass(frozen=True)
class Price:
    """Micro-units of a currency for a million tokens.

    `version` is the day on which the catalogue noted it, in US dollars (`NOTED_IN`), or "own"
    where the account entered it, in its own currency.
    """

    input: int
    output: int
    version: str

    def cost_micros(self, tokens_in: int, tokens_out: int) -> int:
        """Micro-units of the currency, rounded up."""
        return _rounded_up(tokens_in * self.input + tokens_out * self.output)


def price_of(models: list[dict[str, Any]], vendor_name: str, model_name: str) -> Price | None:
    """The price of a model among an account's rows, then in the catalogue; None if unknown.

    A dated issue costs what its model costs: gpt-4o-mini-2024-07-18 is gpt-4o-mini. Other
    beginnings say nothing: gpt-4o-audio is not gpt-4o.
    """
    return _own_price(models, model_name) or _noted_price(vendor_name, model_name)


def worst_daily_cost(price: Price, tokens_a_day: int) -> int:
    """Micro-units of the currency if every token of a day is of the dearer kind."""
    return _rounded_up(tokens_a_day * max(price.input, price.output))


def names_of(model_name: str) -> tuple[str, ...]:
    """The model's name as it is, then without "models/" (Google lists them so) and its date."""
    plain = model_name.removeprefix("models/")
    return tuple(dict.fromkeys((model_name, plain, ISSUE.sub("", plain) or plain)))


def _own_price(models: list[dict[str, Any]], model_name: str) -> Price | None:
    priced = {row["name"]: row for row in models if row.get("input_price") is not None}
    row = next((priced[name] for name in names_of(model_name) if name in priced), None)
    return Price(int(row["input_price"]), int(row["output_price"]), OWN) if row else None


def _noted_price(vendor_name: str, model_name: str) -> Price | None:
    vendor = vendor_named(vendor_name)
    if vendor is None:
        return None
    if vendor.is_free:
        return Price(0, 0, vendor.noted_on)
    model = vendor.first_of(names_of(model_name))
    if model is None or not model.output_price:
        return None
    return Price(model.input_price, model.output_price, vendor.noted(model))


def _rounded_up(price_times_tokens: int) -> int:
    return -(-price_times_tokens // PER_TOKENS)
