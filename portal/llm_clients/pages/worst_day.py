"""What a client that anyone may use can cost in a day at the worst, in numbers."""

from __future__ import annotations

from portal.formatting import money, number
from portal.limits import defaults, finding
from portal.limits.budgets import DAY, FULL_PERCENT, Budget
from portal.limits.models import Limits, SubjectKinds
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages.limits_views import budgets_of_client
from portal.providers import finding as provider_finding
from portal.providers.prices import Price, worst_daily_cost

BY_TOKENS = "At worst it costs {money} a day: its budget of {tokens} tokens at the dearest price."
FREE = "The {provider} provider costs nothing."
BY_MONEY = "At worst it costs {money} a day, its budget."
NO_PRICE = (
    "At worst it uses {tokens} tokens a day, its budget. What they cost is not known: the portal "
    "has no price for {model}."
)
ONLY_MONTH = "It has no budget for a day, only for a month: {most} may be gone in one day."
CHEAPER = " Its cheaper model may add {percent}% to that."


def sentence(llm_client: LLMClient) -> str:
    """The worst day of this client in one or two sentences."""
    found = finding.of_subject(llm_client.account, SubjectKinds.CLIENT, llm_client.id)
    budgets = budgets_of_client(llm_client, found)
    budget = next((one for one in budgets if one.period == DAY), budgets[0])
    return _told(llm_client, budget) + _cheaper(found)


def _cheaper(found: Limits | None) -> str:
    if found is None or not found.cheaper_provider:
        return ""
    return CHEAPER.format(percent=defaults.CHEAPER_PERCENT - FULL_PERCENT)


def _told(llm_client: LLMClient, budget: Budget) -> str:
    worst, unpriced = _worst_micros(llm_client, budget)
    tokens = number(budget.tokens or 0)
    shown = "" if worst is None else money(worst, llm_client.account.currency)
    if worst == 0 and budget.micros is None:
        return FREE.format(provider=llm_client.provider)
    if budget.period != DAY:
        return ONLY_MONTH.format(most=shown or f"{tokens} tokens")
    if worst is None:
        return NO_PRICE.format(tokens=tokens, model=unpriced)
    if worst == 0 and budget.micros is None:
        return FREE.format(provider=llm_client.provider)
    if worst == budget.micros:
        return BY_MONEY.format(money=shown)
    return BY_TOKENS.format(money=shown, tokens=tokens)


def _worst_micros(llm_client: LLMClient, budget: Budget) -> tuple[int | None, str]:
    """The smaller of both limits of the budget; None, and a model's name, without its price."""
    prices = {model: _price(llm_client, provider, model) for provider, model in _models(llm_client)}
    unpriced = next((model for model, price in prices.items() if price is None), "")
    found = [] if budget.micros is None else [budget.micros]
    if budget.tokens is not None and not unpriced:
        found.append(max(worst_daily_cost(p, budget.tokens) for p in prices.values() if p))
    return min(found, default=None), unpriced or "this model"


def _models(llm_client: LLMClient) -> list[tuple[str, str]]:
    """Those that may answer: the client's model, and its fallback."""
    found = [(llm_client.provider, llm_client.default_model)]
    if llm_client.fallback_provider and llm_client.fallback_model:
        found.append((llm_client.fallback_provider, llm_client.fallback_model))
    return found


def _price(llm_client: LLMClient, provider_name: str, model: str) -> Price | None:
    provider = provider_finding.by_name(llm_client.account_id, provider_name)
    return provider.price_of(model, llm_client.account.currency) if provider else None
