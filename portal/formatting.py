"""How values read on a page: times, numbers, sizes, and the one place where statuses get a look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class StatusView:
    """A status as it is drawn: token (colour), word, icon, never one without the others."""

    token: str
    word: str
    icon: str


READY = StatusView("ready", "Ready", "circle-check")
PROGRESS = StatusView("progress", "In progress", "loader-2")
WAITING = StatusView("waiting", "Waiting on customer", "user-question")
ATTENTION = StatusView("attention", "Attention", "alert-triangle")
FAILED = StatusView("failed", "Failed", "circle-x")
OFF = StatusView("off", "Not deployed", "circle-dashed")

_BY_TOKEN = {view.token: view for view in (READY, PROGRESS, WAITING, ATTENTION, FAILED, OFF)}


def status_view(token: str, word: str) -> StatusView:
    """The look of a token with another word on it."""
    return StatusView(token, word, _BY_TOKEN[token].icon)


_TOKEN_OF_WORD = {
    "Verifying": "progress",
    "Requested": "progress",
    "Verified": "ready",
    "Issued": "ready",
    "Not Verified": "off",
    "No Certificate": "off",
    "Failed": "failed",
}


def enum_view(word: str) -> StatusView:
    """The look of the model's own status words (both enums); the word stays as it is."""
    return status_view(_TOKEN_OF_WORD[str(word)], str(word))


def seconds_in_words(seconds: float) -> str:
    """`18 s`, `27 min`, `5 h`."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"


def milliseconds_in_words(milliseconds: int | None) -> str:
    """`840 ms`, `3.4 s`; `Unknown` for None."""
    if milliseconds is None:
        return "Unknown"
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def relative_time(moment: datetime | None, now: datetime, zone: str = "UTC") -> str:
    """`18 s ago`, `in 42 s`; from one day on the weekday or the date, in the given zone."""
    if moment is None:
        return "Never"
    distance = (now - moment).total_seconds()
    if abs(distance) >= timedelta(days=1).total_seconds():
        local = moment.astimezone(ZoneInfo(zone))
        near = abs(distance) < timedelta(days=6).total_seconds()
        return f"{local:%A %H:%M}" if near else f"{local.day} {local:%B %Y}"
    if 0 <= distance < 2:
        return "just now"
    words = seconds_in_words(abs(distance))
    return f"{words} ago" if distance > 0 else f"in {words}"


def exact_time(moment: datetime | None, zone: str = "UTC") -> str:
    """`2026-11-21 14:31:54 Europe/Berlin`."""
    if moment is None:
        return "Never"
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} {zone}"


def iso_time(moment: datetime | None) -> str:
    """For the `datetime` attribute: UTC with seconds."""
    return "" if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")


def number(value: int) -> str:
    """`16,384`."""
    return f"{value:,}"


def octets_in_words(octets: int) -> str:
    """`812 B`, `4.2 KB`, `1.3 GB`: in thousands, as disks are sold."""
    amount, units = float(octets), ["B", "KB", "MB", "GB", "TB"]
    while amount >= 999.95 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def plural(count: int, one: str, many: str) -> str:
    """`1 word`, `3 words`."""
    return f"{number(count)} {one if count == 1 else many}"


_SIGNS = {"USD": "US$", "EUR": "€", "GBP": "£", "CHF": "CHF", "JPY": "¥"}


def money(micros: int, currency: str) -> str:
    """`US$ 1.20`, `€ 0.0042`: an amount in millionths of a currency, sign or code first.

    Two decimals from one cent on. Below a cent as many as there are, since a single answer often
    costs that little: an amount has six decimals at most, so four significant figures always fit.
    Half a cent rounds up; a currency without a sign here is told by its code.
    """
    minus, amount = ("-" if micros < 0 else ""), abs(micros)
    if amount and amount < 10_000:
        return f"{sign_of(currency)} {minus}0.{amount:06d}".rstrip("0")
    cents = (amount + 5_000) // 10_000
    return f"{sign_of(currency)} {minus}{cents // 100:,}.{cents % 100:02d}"


def sign_of(currency: str) -> str:
    """`US$`, `€`; the code itself where there is no sign."""
    return _SIGNS.get(currency, currency)


def exact_decimal(micros: int) -> str:
    """`0.15`, `0.075`, `2.00`: millionths (0 or more) in full, with two decimals at least."""
    whole, rest = divmod(micros, 1_000_000)
    decimals = f"{rest:06d}".rstrip("0")
    return f"{whole}.{decimals:0<2}"
