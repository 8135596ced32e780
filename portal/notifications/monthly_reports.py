"""The report of a month: what visitors asked and what it cost, with the month before.

Once for each account and month, when the month is over in the account's time zone. The key of its
notice is told once, so a round that is killed or made twice writes no second one.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, select

from portal.accounts.models import Account
from portal.database import db
from portal.formatting import money, number, plural
from portal.llm_clients.models import LLMClient
from portal.notices.kinds import Kind, Level
from portal.notices.models import Notice
from portal.notices.telling import News, tell
from portal.request_history.local_time import day_start, today
from portal.usage import summing
from portal.usage.models import UsageSeries
from portal.usage.series import SANDBOX, Grain, of_account
from portal.usage.tallies import Tally

LONGEST_SECONDS = 2.0
MOST_CLIENTS = 5
FARTHEST_EAST = timedelta(hours=14)


def month_before(day: date) -> date:
    """The first day of the month before that of a day."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def key_of(month: date) -> str:
    return f"report/{month:%Y-%m}"


def write_due(now: datetime) -> bool:
    """Write the reports that are due, each in a transaction; whether none is left."""
    end = time.monotonic() + LONGEST_SECONDS
    for account_id in db.session.scalars(_candidates(now)).all():
        account = db.session.get_one(Account, account_id)
        zone = ZoneInfo(account.timezone)
        month = month_before(today(now, zone))
        if account.created_at < day_start(_next(month), zone):
            tell(account.id, report(account, month), now)
        db.session.commit()
        if time.monotonic() > end:
            return False
    db.session.rollback()
    return True


def _candidates(now: datetime) -> Select[tuple[int]]:
    """Accounts that were asked something ever and have no report of the newest month anywhere.

    While a month ends around the world, those who still live in it are looked at in vain.
    """
    newest = month_before((now + FARTHEST_EAST).date())
    told = exists().where(Notice.account_id == Account.id, Notice.once_key == key_of(newest))
    end = datetime.combine(_next(newest), datetime.min.time(), UTC) + timedelta(days=1)
    used = exists().where(UsageSeries.account_id == Account.id)
    return (
        select(Account.id)
        .where(Account.is_active, Account.created_at < end, ~told, used)
        .order_by(Account.id)
    )


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def report(account: Account, month: date) -> News:
    """What is told of a month, given by its first day."""
    zone = ZoneInfo(account.timezone)
    before = month_before(month)
    borders = [day_start(day, zone) for day in (before, month, _next(month))]
    numbers = [of_account(account.id).id]
    then, now = summing.by_stretch(numbers, borders)
    name, name_before = f"{month:%B %Y}", f"{before:%B}"
    lines = _lines(now, then, account.currency, name_before)
    clients = _client_lines(account, borders, name_before)
    text = f"What visitors asked in {name}, without the sandbox.\n\n" + "\n".join(lines)
    if clients:
        text += "\n\nThe LLM clients that were asked most:\n\n" + "\n".join(clients)
    return News(
        kind=Kind.REPORT,
        level=Level.NEWS,
        subject=f"{account.company_name} in {name}: {plural(now.requests, 'request', 'requests')}",
        text=text,
        path=f"/?from={month:%Y-%m-%d}&to={_next(month) - timedelta(days=1):%Y-%m-%d}",
        about=account,
        name=account.company_name,
        once_key=key_of(month),
    )


def _lines(now: Tally, then: Tally, currency: str, before: str) -> list[str]:
    """Two spaces first: a table in the mail (letter_html.py)."""
    pairs = [
        ("Requests", number(now.requests), number(then.requests)),
        ("Failed", _failed(now), _failed(then)),
        ("Tokens", number(now.tokens), number(then.tokens)),
        ("Cost", money(now.cost_micros, currency), money(then.cost_micros, currency)),
        ("Conversations", number(now.sessions), number(then.sessions)),
    ]
    return [f"  {label}: {value} ({other} in {before})" for label, value, other in pairs]


def _failed(tally: Tally) -> str:
    share = 100 * tally.failed / tally.requests if tally.requests else 0
    return f"{number(tally.failed)}, {share:.1f}%"


def _client_lines(account: Account, borders: list[datetime], before: str) -> list[str]:
    series = select(UsageSeries.id).where(
        UsageSeries.account_id == account.id,
        UsageSeries.grain == Grain.CLIENT,
        UsageSeries.mode != SANDBOX,
    )
    now = _by_client(summing.by_part(series, borders[1], borders[2]))
    then = _by_client(summing.by_part(series, borders[0], borders[1]))
    most = sorted(now, key=lambda one: (-now[one].requests, one))[:MOST_CLIENTS]
    query = select(LLMClient.id, LLMClient.name).where(
        LLMClient.account_id == account.id, LLMClient.id.in_(most)
    )
    names = {row.id: row.name for row in db.session.execute(query)}
    return [
        f"  {names[one]}: {plural(now[one].requests, 'request', 'requests')}, "
        f"{money(now[one].cost_micros, account.currency)} "
        f"({number(then.get(one, Tally()).requests)} requests in {before})"
        for one in most
        if one in names
    ]


def _by_client(parts: summing.Parts) -> dict[int, Tally]:
    return {series.llm_client_id: tally for series, tally in parts.tallies.items()}
