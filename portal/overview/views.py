"""The first page: what happened in the last days, what needs attention, what was deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, render_template, request, url_for

from portal.database import utc_now
from portal.formatting import StatusView
from portal.llm_clients.deployment import words as status_words
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.pages import queries as llm_client_queries
from portal.overview import attention, page
from portal.overview.attention import Attention
from portal.overview.scope import Scope
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
    shown = page.of(Scope(g.account), request.args, now)
    return render_template(
        "overview/index.html",
        usage=shown,
        attention=[
            *(_attention(run) for run in newest if run.state == Deployment.States.FAILED),
            *attention.of_certificates(g.account, now),
            *attention.of_domains(g.account),
        ],
        deployments=[_run_line(run) for run in newest[:MOST_ROWS]],
    )


def _newest_by_client(runs: list[Deployment]) -> list[Deployment]:
    newest: dict[int, Deployment] = {}
    for run in runs:
        newest.setdefault(run.llm_client_id, run)
    return list(newest.values())


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
