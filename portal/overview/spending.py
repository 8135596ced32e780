"""What an account or a client cost this month, held against its budget."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from flask import url_for

from portal.charts import Meter, Tile
from portal.formatting import money
from portal.limits import months, page
from portal.overview.scope import Scope


def tile(scope: Scope, now: datetime) -> Tile | None:
    """The month's budget, else the day's, else the month's cost; None where nobody has budgets."""
    subject = scope.budget_of
    if subject is None:
        return None
    month = months.of(scope.account, *subject, now)
    in_money = [replace(one, tokens=None) for one in month.budgets if one.micros is not None]
    currency, url = scope.account.currency, _url(scope)
    if not in_money:
        words = "No budget in money is set"
        return Tile("Cost this month", money(month.micros, currency), words, url=url)
    budget = in_money[-1]
    (meter,) = page.meters_of(budget, month.uses.get(budget.period), currency)
    drawn = Meter(meter.percent, f"Used of the budget {meter.label.lower()}", meter.token)
    note = f"{meter.percent}% of a budget of {meter.limit}"
    if meter.reserved:
        note += f"; {meter.reserved} reserved for answers under way"
    return Tile(f"Cost {meter.label.lower()}", meter.used, note, drawn, url)


def _url(scope: Scope) -> str:
    if scope.llm_client is None:
        return url_for("limits.index")
    return url_for("llm_clients.limits", llm_client_id=scope.llm_client.hashed_id)
