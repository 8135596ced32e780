"""Where a client's prompts may go, with what it costs there; a frozen part of `Served`."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.errors import PortalError
from portal.limits.budgets import Amount
from portal.providers import finding
from portal.providers.prices import Price


@dataclass(frozen=True)
class Endpoint:
    """A model at a provider. `problem` says why it cannot be asked, "" if it can."""

    provider: str
    model: str
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    price: Price | None = None
    problem: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """Endpoints that fail together: the same key at the same address."""
        return self.provider, self.base_url, self.api_key

    def amount(self, tokens_in: int, tokens_out: int) -> Amount:
        """What so many tokens count for budgets; a model without a price costs nothing known."""
        cost = self.price.cost_micros(tokens_in, tokens_out) if self.price else 0
        return Amount(tokens_in + tokens_out, cost)


def endpoint_of(account_id: int, provider_name: str, model: str) -> Endpoint:
    """The account's provider of this name, its key opened."""
    provider = finding.by_name(account_id, provider_name)
    if provider is None:
        problem = f"The account has no provider named {provider_name}."
        return Endpoint(provider_name, model, problem=problem)
    price = provider.price_of(model, provider.account.currency)
    try:
        base_url, api_key = finding.base_url_of(provider), finding.key_of(provider)
    except PortalError as error:
        return Endpoint(provider_name, model, problem=error.public_message)
    return Endpoint(provider_name, model, base_url, api_key, price)
