"""The first page: what happened in the last days, what needs attention, what was deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, g, render_template, url_for

from portal.accounts.models import Account
from portal.charts import BarChart, Part, Tile, bars
from portal.database import utc_now
from portal.formatting import StatusView, number
from portal.history_search import listing
from portal.history_search.filters import Filters
from portal.llm_clients.deployment import words as status_words
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.pages import queries as llm_client_queries
from portal.overview import attention
from portal.overview.attention import Attention
from portal.request_history import ranges
from portal.request_history.ranges import TimeRange
from portal.request_history.rows import row_of
from portal.usage import queries as usage
from portal.usage.series import of_account
from portal.usage.tallies import Tally
from portal.web import VIEWER, permits

blueprint = Blueprint("overview", __name__)
MOST_ROWS = 5


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
    shown = ranges.named("7d", ZoneInfo(g.account.timezone), now)
    this_week, week_before = _weeks(g.account, shown)
    recent = listing.page(g.account.id, Filters(shown), None).rows
    counts = llm_client_queries.status_counts(g.account, llm_client_queries.Filters())
    return render_template(
        "overview/index.html",
        tiles=_tiles(counts, this_week, week_before),
        charts=[_requests_chart(shown, this_week, week_before)],
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


def _weeks(account: Account, shown: TimeRange) -> tuple[list[Tally], list[Tally]]:
    hours = usage.hourly([of_account(account.id)], shown.previous.start, shown.end)
    return usage.bundled(hours, shown.borders()), usage.bundled(hours, shown.previous.borders())


def _total(tallies: list[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def _tiles(counts: dict[str, int], this_week: list[Tally], week_before: list[Tally]) -> list[Tile]:
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


def _requests_chart(shown: TimeRange, week: list[Tally], week_before: list[Tally]) -> BarChart:
    return BarChart(
        title="Were requests answered?",
        places=tuple(stretch.place for stretch in shown.stretches),
        parts=(
            Part("Answered", tuple(sums.answered for sums in week)),
            Part("Failed", tuple(_unanswered(sums) for sums in week), bars.FAILED),
        ),
        previous=tuple(sums.requests for sums in week_before),
        previous_name="Week before",
        select_url=url_for("request_history.index"),
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
