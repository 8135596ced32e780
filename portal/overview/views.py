"""The first page: what happened in the last days, what needs attention, what was deployed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, g, render_template, url_for

from portal.accounts.models import Account
from portal.database import utc_now
from portal.formatting import StatusView, number
from portal.llm_clients.deployment import words as status_words
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.pages import queries as llm_client_queries
from portal.overview import attention
from portal.overview.attention import Attention
from portal.request_history import queries as history
from portal.request_history.rows import row_of
from portal.usage import queries as usage
from portal.usage.series import of_account
from portal.usage.tallies import Tally
from portal.web import VIEWER, permits, zone

blueprint = Blueprint("overview", __name__)
DAYS = 7
WIDTH = timedelta(hours=6)
MOST_ROWS = 5


@dataclass(frozen=True)
class Tile:
    """One number, with what it means beside it."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Bucket:
    """One bar of the chart."""

    label: str
    answered: int
    failed: int
    title: str


@dataclass(frozen=True)
class Stretch:
    """What was asked in a stretch of time."""

    start: datetime
    tally: Tally


@dataclass(frozen=True)
class RunLine:
    """One recent deployment."""

    name: str
    url: str
    status: StatusView
    sentence: str


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """The overview."""
    now = utc_now()
    runs = llm_client_queries.recent_runs(g.account, 40)
    newest = _newest_by_client(runs)
    this_week, week_before = _weeks(g.account, now)
    recent, _, _ = history.page(g.account, history.Filters(), None)
    counts = llm_client_queries.status_counts(g.account, llm_client_queries.Filters())
    return render_template(
        "overview/index.html",
        tiles=_tiles(counts, this_week, week_before),
        chart_buckets=[_bucket(stretch) for stretch in this_week],
        attention=[
            *(_attention(run) for run in newest if run.state == Deployment.States.FAILED),
            *attention.of_certificates(g.account, now),
            *attention.of_domains(g.account),
        ],
        deployments=[_run_line(run) for run in newest[:MOST_ROWS]],
        has_clients=counts["all"] > 0,
        recent_requests=[row_of(found, g.account.currency) for found in recent[:MOST_ROWS]],
    )


def _newest_by_client(runs: list[Deployment]) -> list[Deployment]:
    newest: dict[int, Deployment] = {}
    for run in runs:
        newest.setdefault(run.llm_client_id, run)
    return list(newest.values())


def _weeks(account: Account, now: datetime) -> tuple[list[Stretch], list[Stretch]]:
    local = now.astimezone(ZoneInfo(account.timezone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=DAYS - 1)
    before = start - timedelta(days=DAYS)
    hours = usage.hourly([of_account(account.id)], before, now + timedelta(hours=1))
    return _stretches(hours, start), _stretches(hours, before)


def _stretches(hours: list[usage.Hour], start: datetime) -> list[Stretch]:
    """By the clock on the wall of `start`, empty ones included."""
    count = int(timedelta(days=DAYS) / WIDTH)
    borders = [(start + WIDTH * index).astimezone(UTC) for index in range(count + 1)]
    tallies = usage.bundled(hours, borders)
    return [Stretch(border, tally) for border, tally in zip(borders[:-1], tallies, strict=True)]


def _total(stretches: list[Stretch]) -> Tally:
    total = Tally()
    for stretch in stretches:
        total.add(stretch.tally)
    return total


def _tiles(
    counts: dict[str, int], this_week: list[Stretch], week_before: list[Stretch]
) -> list[Tile]:
    now, before = _total(this_week), _total(week_before)
    return [
        Tile("Requests", number(now.requests), _compared(now.requests, before.requests)),
        Tile("Answered without error", _share(now), f"{number(_unanswered(now))} failed"),
        Tile("Average answer", _average(now), _average_note(before)),
        Tile("LLM clients ready", str(counts["ready"]), f"of {counts['all']} in this account"),
    ]


def _compared(now: int, before: int) -> str:
    if not before:
        return "None in the 7 days before"
    change = round(100 * (now - before) / before)
    if change == 0:
        return "As many as before"
    return f"{abs(change)}% {'more' if change > 0 else 'fewer'} than before"


def _share(sums: Tally) -> str:
    return f"{100 * sums.answered / sums.requests:.1f}%" if sums.requests else "No requests"


def _average(sums: Tally) -> str:
    return f"{sums.latency_ms / sums.requests / 1000:.1f} s" if sums.requests else "No requests"


def _average_note(before: Tally) -> str:
    return f"{_average(before)} before" if before.requests else "Nothing to compare with"


def _unanswered(sums: Tally) -> int:
    return sums.requests - sums.answered


def _bucket(stretch: Stretch) -> Bucket:
    local = stretch.start.astimezone(ZoneInfo(zone()))
    end = local + WIDTH  # by the clock on the wall, as the stretches are
    return Bucket(
        label=f"{local:%a} {local.day}" if local.hour < 6 else "",
        answered=stretch.tally.answered,
        failed=_unanswered(stretch.tally),
        title=f"{local:%a} {local.day}, {local:%H:%M} to {end:%H:%M}",
    )


def _attention(run: Deployment) -> Attention:
    status, sentence = status_words.status_of(run.llm_client, run)
    return Attention(
        name=run.llm_client.name,
        url=url_for("llm_clients.show", llm_client_id=run.llm_client.hashed_id),
        status=status,
        sentence=run.message or sentence,
        who=status_words.WHO.get(run.who_acts, ""),
        since=run.finished_at,
    )


def _run_line(run: Deployment) -> RunLine:
    status, _ = status_words.status_of(run.llm_client, run)
    by = run.started_by.username if run.started_by else "the portal"
    sentence = f"{status_words.RUN_TITLES[run.kind]}, started by {by}"
    url: Any = url_for("llm_clients.show", llm_client_id=run.llm_client.hashed_id)
    return RunLine(run.llm_client.name, url, status, sentence)
