"""What an account or a client cost this month, held against its budget."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from flask import url_for

from portal.charts import Meter, Tile
from portal.database import db
from portal.formatting import money
from portal.limits import editing, finding, page
from portal.limits.budgets import MONTH, Budget, budgets_of, starts_at
from portal.overview.scope import Scope
from portal.usage.queries import used_since


def tile(scope: Scope, now: datetime) -> Tile | None:
    """The month's budget, else the day's, else the month's cost; None where nobody has budgets."""
    subject = scope.budget_of
    if subject is None:
        return None
    found = finding.of_subject(scope.account, *subject)
    budgets = list(budgets_of(*subject, editing.values_of(found)))
    in_money = [replace(one, tokens=None) for one in budgets if one.micros is not None]
    if not in_money:
        return _without_budget(scope, subject, now)
    (meter,) = page.meters(scope.account, in_money[-1:], now)
    drawn = Meter(meter.percent, f"Used of the budget {meter.label.lower()}", meter.token)
    note = f"{meter.percent}% of a budget of {meter.limit}"
    if meter.reserved:
        note += f"; {meter.reserved} reserved for answers under way"
    return Tile(f"Cost {meter.label.lower()}", meter.used, note, drawn, _url(scope))


def _without_budget(scope: Scope, subject: tuple[str, int], now: datetime) -> Tile:
    """A budget counts the sandbox of an account; so does this."""
    account = scope.account
    month = Budget(*subject, MONTH, None, None).key(now, account.timezone)
    since = starts_at(month, account.timezone)
    _, micros = used_since(db.session.connection(), account.id, *subject, since)
    words = "No budget in money is set"
    return Tile("Cost this month", money(micros, account.currency), words, url=_url(scope))


def _url(scope: Scope) -> str:
    if scope.llm_client is None:
        return url_for("limits.index")
    return url_for("llm_clients.limits", llm_client_id=scope.llm_client.hashed_id)
