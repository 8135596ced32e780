"""What a client that anyone may use can cost in a day at the worst, in numbers."""

from __future__ import annotations

from portal.formatting import money, number
from portal.limits import finding
from portal.limits.budgets import DAY, Budget
from portal.limits.models import SubjectKinds
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages.limits_views import budgets_of_client
from portal.providers import finding as provider_finding
from portal.providers.prices import worst_daily_cost

NO_PRICE = (
    "At worst it uses {tokens} tokens a day, its budget. What they cost is not known: the portal "
    "has no price for {model}."
)
BY_TOKENS = (
    "At worst it costs {money} a day: its budget of {tokens} tokens at the price of {model}."
)
FREE = "The {provider} provider costs nothing."
BY_MONEY = "At worst it costs {money} a day, its budget."
NO_DAY = "It has no budget for a day, only for a month: {money} may be gone in one day."


def sentence(llm_client: LLMClient) -> str:
    """The worst day of this client as one sentence."""
    found = finding.of_subject(llm_client.account, SubjectKinds.CLIENT, llm_client.id)
    budgets = budgets_of_client(llm_client, found)
    budget = next((one for one in budgets if one.period == DAY), budgets[0])
    return _told(llm_client, budget)


def _told(llm_client: LLMClient, budget: Budget) -> str:
    worst = _worst_micros(llm_client, budget)
    tokens, model = number(budget.tokens or 0), llm_client.default_model or "this model"
    if worst is None:
        return NO_PRICE.format(tokens=tokens, model=model)
    if worst == 0 and budget.micros is None:
        return FREE.format(provider=llm_client.provider)
    shown = money(worst, llm_client.account.currency)
    if budget.period != DAY:
        return NO_DAY.format(money=shown)
    if worst == budget.micros:
        return BY_MONEY.format(money=shown)
    return BY_TOKENS.format(money=shown, tokens=tokens, model=model)


def _worst_micros(llm_client: LLMClient, budget: Budget) -> int | None:
    """The smaller of both limits of the budget; None where tokens have no price."""
    provider = provider_finding.by_name(llm_client.account_id, llm_client.provider)
    currency = llm_client.account.currency
    price = provider.price_of(llm_client.default_model, currency) if provider else None
    by_tokens = None
    if budget.tokens is not None and price is not None:
        by_tokens = worst_daily_cost(price, budget.tokens)
    found = [cost for cost in (budget.micros, by_tokens) if cost is not None]
    return min(found, default=None)
