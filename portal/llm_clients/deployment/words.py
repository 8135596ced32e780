"""What a client's status is called, why, and who acts: values for pages, made from rows only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.formatting import (
    FAILED,
    OFF,
    PROGRESS,
    READY,
    StatusView,
    seconds_in_words,
    status_view,
)
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.models import Deployment, ProgressEvent
from portal.llm_clients.models import LLMClient

Kinds = Deployment.Kinds
WORKER_SILENT_SECONDS = 120
RUN_TITLES = {
    Kinds.DEPLOY: "Deployment",
    Kinds.UNDEPLOY: "Taking it off its address",
    Kinds.DELETE: "Deletion",
}
OLD_ADDRESS = "Visitors use the address of before the rename. Deploy to open the new one."
WHO = {
    "customer": "The customer has to act.",
    "platform": "Whoever runs this portal has to act if it stays so.",
    "nobody": "Nobody has to act.",
}


@dataclass(frozen=True)
class StepLine:
    """One line of the timeline."""

    key: str
    title: str
    number: int
    status: StatusView
    sentence: str
    duration_text: str | None
    is_current: bool


@dataclass(frozen=True)
class EventLine:
    """One attempt of the past."""

    at: datetime
    message: str
    status: StatusView


@dataclass(frozen=True)
class RunView:
    """A run as the page draws it."""

    title: str
    started_sentence: str
    started_at: datetime
    steps: list[StepLine]
    events: list[EventLine]
    attempt: int | None
    last_error: str | None
    attempted_at: datetime | None
    next_attempt_at: datetime | None
    can_cancel: bool
    can_try_now: bool
    is_active: bool
    who_acts: str | None
    worker_sentence: str
    worker_is_alive: bool


def status_of(llm_client: LLMClient, run: Deployment | None) -> tuple[StatusView, str]:
    """The client's status and its reason, the worst that matters first."""
    if run is not None and run.is_active:
        return PROGRESS, _progress_reason(run)
    if llm_client.deployed and llm_client.is_open:
        if llm_client.has_unpublished_changes:
            return READY, f"Revision {llm_client.newest_revision_number} is not published yet"
        return READY, "Answers on its address"
    if run is not None and run.state == Deployment.States.FAILED:
        return FAILED, " ".join(part for part in (run.message, WHO.get(run.who_acts, "")) if part)
    if llm_client.deployed:
        return status_view("attention", "Old address"), OLD_ADDRESS
    if run is not None and run.state == Deployment.States.CANCELLED:
        return OFF, "The deployment was cancelled"
    return OFF, "Only you can use it, in the sandbox"


def _progress_reason(run: Deployment) -> str:
    position = run.plan.index(run.step) + 1 if run.step in run.plan else 1
    title = deployment.STEPS[run.step].title
    sentence = f"Step {position} of {len(run.plan)}: {title}"
    return f"{sentence}. {run.message}" if run.message and run.attempt else sentence


def run_view(
    run: Deployment, now: datetime, worker_seen_at: datetime | None, viewer_id: int | None
) -> RunView:
    """Everything the timeline shows."""
    is_waiting = run.is_active and run.attempt > 0
    alive, sentence = worker_words(worker_seen_at, now)
    waits = run.next_attempt_at is not None and run.next_attempt_at > now
    return RunView(
        title=_title(run),
        started_sentence=_started_by(run, viewer_id),
        started_at=run.started_at,
        steps=_steps(run),
        events=[_event_line(event) for event in run.events],
        attempt=run.attempt if is_waiting else None,
        last_error=run.message if is_waiting and run.reason else None,
        attempted_at=run.attempted_at,
        next_attempt_at=run.next_attempt_at if run.is_active else None,
        can_cancel=run.is_active and run.kind == Kinds.DEPLOY,
        can_try_now=run.is_active and waits,
        is_active=run.is_active,
        who_acts=WHO.get(run.who_acts),
        worker_sentence=sentence,
        worker_is_alive=alive,
    )


def _title(run: Deployment) -> str:
    title = RUN_TITLES[run.kind]
    if run.kind == Kinds.DEPLOY and run.revision is not None:
        return f"{title} of revision {run.revision.number}"
    return title


def _started_by(run: Deployment, viewer_id: int | None) -> str:
    if run.started_by is None:
        return "Started by the portal"
    return f"Started by {'you' if run.started_by_id == viewer_id else run.started_by.username}"


def worker_words(seen_at: datetime | None, now: datetime) -> tuple[bool, str]:
    """Whether a worker is alive, and the sentence that says so."""
    if seen_at is None:
        return False, "No worker has answered yet"
    silent = (now - seen_at).total_seconds()
    if silent > WORKER_SILENT_SECONDS:
        return False, f"No worker has answered for {seconds_in_words(silent)}"
    return True, f"A worker answered {seconds_in_words(silent)} ago"


def _steps(run: Deployment) -> list[StepLine]:
    done: dict[str, ProgressEvent] = {}
    last: dict[str, ProgressEvent] = {}
    for event in run.events:
        last[event.step] = event
        if event.result == "done":
            done[event.step] = event
    here = run.plan.index(run.step) if run.step in run.plan else 0
    started = run.started_at
    lines = []
    for number, key in enumerate(run.plan, start=1):
        is_done = key in done and (number - 1 < here or run.state == Deployment.States.DONE)
        is_current = number - 1 == here and not is_done
        event = done.get(key) if is_done else last.get(key) if is_current else None
        duration = None
        if is_done and event is not None:
            seconds = max(0.0, (event.created_at - started).total_seconds())
            started = event.created_at
            duration = seconds_text(seconds)
        status = READY if is_done else _current_status(run) if is_current else OFF
        if is_done:
            status = status_view("ready", "Done")
        lines.append(
            StepLine(
                key=key,
                title=deployment.STEPS[key].title,
                number=number,
                status=status,
                sentence=event.message if event is not None else "",
                duration_text=duration,
                is_current=is_current and run.is_active,
            )
        )
    return lines


def seconds_text(seconds: float) -> str:
    """`0.2 s` for what took less than ten, else as elsewhere."""
    return f"{seconds:.1f} s" if seconds < 10 else seconds_in_words(seconds)


def _current_status(run: Deployment) -> StatusView:
    if run.state == Deployment.States.FAILED:
        return FAILED
    if run.state == Deployment.States.CANCELLED:
        return status_view("off", "Cancelled")
    if run.who_acts == "customer":
        return status_view("waiting", "Waiting on customer")
    return PROGRESS


def _event_line(event: ProgressEvent) -> EventLine:
    looks = {
        "done": status_view("ready", "Done"),
        "wait": status_view("progress", "Not yet"),
        "failed": FAILED,
    }
    title = deployment.STEPS[event.step].title
    return EventLine(event.created_at, f"{title}: {event.message}", looks[event.result])
