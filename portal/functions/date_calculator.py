"""Dates for models, who count badly: years 1 to 9999 of today's calendar, ISO 8601 dates."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from portal.errors import PortalError

ACTIONS = ("today", "weekday", "add", "subtract", "difference")
UNITS = ("days", "weeks", "months", "years")
MOST = 4_000_000
PARAMETERS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "action": {
            "type": "string",
            "enum": list(ACTIONS),
            "description": "add and subtract move `date`; difference counts from `date` to "
            "`other_date`.",
        },
        "date": {
            "type": "string",
            "description": "As 2026-12-24, or today. Today where it is left out.",
        },
        "other_date": {"type": "string", "description": "As 2026-12-24, or today."},
        "amount": {"type": "integer", "description": "How many of `unit` to add or subtract."},
        "unit": {"type": "string", "enum": list(UNITS)},
    },
    "required": ["action"],
    "additionalProperties": False,
}
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].{0,40})?\Z", re.ASCII)
OUT_OF_RANGE = "The result is outside of the years 1 to 9999."


class DateError(PortalError):
    """There is no such date; the sentence tells the model why."""


def run(arguments: Mapping[str, Any], now: datetime) -> str:
    """One sentence with the result. `now` is in the account's zone. Raises DateError."""
    action = arguments.get("action")
    if action not in ACTIONS:
        raise DateError(f"action must be one of {', '.join(ACTIONS)}.")
    today = now.date()
    given = _date_of(arguments.get("date"), today)
    if action == "today":
        return f"Today is {_told(today)}."
    if action == "weekday":
        return f"{given.isoformat()} is a {given:%A}, in week {given.isocalendar().week}."
    if action == "difference":
        return _difference(given, _date_of(arguments.get("other_date"), today))
    return _moved(given, str(action), arguments.get("amount"), arguments.get("unit", "days"))


def _date_of(value: Any, today: date) -> date:
    if value in (None, "") or (isinstance(value, str) and value.strip().lower() == "today"):
        return today
    match = _ISO.match(value.strip()[:60]) if isinstance(value, str) else None
    if match is None:
        raise DateError("A date must be written as 2026-12-24.")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise DateError(f"There is no date {match[0][:10]}.") from error


def _told(found: date) -> str:
    return f"{found:%A}, {found.isoformat()}"


def _difference(first: date, second: date) -> str:
    days = (second - first).days
    weeks, rest = divmod(abs(days), 7)
    way = "" if days >= 0 else f" ({second.isoformat()} is before {first.isoformat()})"
    return (
        f"From {_told(first)} to {_told(second)}: {days} days, "
        f"that is {weeks} weeks and {rest} days{way}."
    )


def _moved(given: date, action: str, amount: Any, unit: Any) -> str:
    if isinstance(amount, float) and amount.is_integer():
        amount = int(amount)
    if isinstance(amount, bool) or not isinstance(amount, int) or abs(amount) > MOST:
        raise DateError(f"amount must be a whole number of at most {MOST:,}.")
    unit = str(unit).lower()
    unit = unit if unit.endswith("s") else f"{unit}s"
    if unit not in UNITS:
        raise DateError(f"unit must be one of {', '.join(UNITS)}.")
    signed = amount if action == "add" else -amount
    found = _after(given, signed, unit)
    direction = "after" if signed >= 0 else "before"
    return f"{abs(amount)} {unit} {direction} {_told(given)} is {_told(found)}."


def _after(given: date, amount: int, unit: str) -> date:
    try:
        if unit in ("days", "weeks"):
            return given + timedelta(days=amount * (7 if unit == "weeks" else 1))
        months = given.year * 12 + given.month - 1 + amount * (12 if unit == "years" else 1)
        year, month = months // 12, months % 12 + 1
        last = calendar.monthrange(year, month)[1] if 1 <= year <= 9999 else 1
        return date(year, month, min(given.day, last))
    except (OverflowError, ValueError) as error:
        raise DateError(OUT_OF_RANGE) from error
