"""Exports as verbs on rows: begin, finish, give up, withdraw, forget. They never commit.

Files go after the commit; one that a killed process left is found by `remove_strays` (jobs.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from portal.accounts.models import Account
from portal.database import after_commit, db
from portal.errors import PortalError
from portal.formatting import plural
from portal.history_exports import files
from portal.history_exports.models import WITH_FILE, RequestExport
from portal.history_exports.selection import expected_rows
from portal.history_search.filters import Filters
from portal.llm_clients.models import LLMClient
from portal.request_history import numbering

States = RequestExport.States
MOST_RUNNING, MOST_KEPT = 5, 20
KEPT = timedelta(hours=24)
ROW_KEPT = timedelta(days=7)
LONGEST_WORK = timedelta(hours=24)
MOST_BROKEN_OFF, MOST_RESTARTS = 5, 3
PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=30)
WORDS = {"client": "LLM client", "q": "search", "session_key": "session"}


class TooManyExports(PortalError):
    """The account has as many as it may have."""


def begin(
    account: Account,
    user_id: int | None,
    file_format: RequestExport.Formats,
    filters: Filters,
    llm_client: LLMClient | None,
    new_name: str,
    now: datetime,
) -> RequestExport:
    """An export of what a list shows now; what is asked later is not in it.

    `new_name` is 32 hexadecimal digits by lot. Raises TooManyExports.
    """
    db.session.execute(select(Account.id).where(Account.id == account.id).with_for_update())
    _have_room(account.id)
    ends_at = max(filters.span.start, min(filters.span.end, now))
    export = RequestExport(
        account_id=account.id,
        user_id=user_id,
        format=file_format,
        filters=dict(filters.values),
        label=label_of(filters, llm_client),
        starts_at=filters.span.start,
        ends_at=ends_at,
        cursor=numbering.first_of(ends_at),
        expected_rows=expected_rows(account, filters, llm_client, now),
        file_name=f"{new_name}.{file_format}",
        next_attempt_at=now,
    )
    db.session.add(export)
    db.session.flush()
    return export


def _have_room(account_id: int) -> None:
    query = (
        select(RequestExport.state, func.count())
        .where(RequestExport.account_id == account_id, RequestExport.state.in_(WITH_FILE))
        .group_by(RequestExport.state)
    )
    counts = {state: int(count) for state, count in db.session.execute(query)}
    if counts.get(States.WRITING, 0) >= MOST_RUNNING:
        raise TooManyExports(
            f"{plural(MOST_RUNNING, 'export is', 'exports are')} being written already."
            " Wait for one, or cancel one."
        )
    if sum(counts.values()) >= MOST_KEPT:
        raise TooManyExports(f"{MOST_KEPT} files are kept already. Delete one first.")


def label_of(filters: Filters, llm_client: LLMClient | None) -> str:
    """The filters in words; empty where only the time is chosen."""
    values = dict(filters.values)
    if llm_client is not None:
        values["client"] = llm_client.name
    return ", ".join(f"{WORDS.get(name, name)} {value}" for name, value in values.items())[:255]


def finish(export: RequestExport, now: datetime) -> None:
    """Ready, for a day."""
    export.state, export.finished_at = States.READY, now
    export.expires_at = export.next_attempt_at = now + KEPT


def put_off(export: RequestExport, sentence: str, now: datetime) -> None:
    """Something in the way is told and waited out, longer each time."""
    pause = min(PAUSE * 2 ** min(export.attempt, 10), LONGEST_PAUSE)
    export.attempt += 1
    export.message, export.next_attempt_at = f"{sentence} It is tried again.", now + pause
    export.leased_until, export.broken_off = None, 0


def gave_up(export: RequestExport, now: datetime) -> bool:
    """Whether it is ended because it breaks off each time, or has taken a day."""
    if export.broken_off > MOST_BROKEN_OFF:
        end(export, States.FAILED, "Writing it broke off again and again. The logs tell why.", now)
    elif now - export.created_at > LONGEST_WORK:
        sentence = export.message.removesuffix(" It is tried again.")
        end(export, States.FAILED, f"It was not done within a day. {sentence}".strip(), now)
    return export.state == States.FAILED


def start_over(export: RequestExport, now: datetime) -> None:
    """The file is not what this row says: another machine has it, or nobody any more."""
    if export.restarts >= MOST_RESTARTS:
        sentence = (
            "The file was gone each time it was to be continued. All workers must share one folder"
            " (PORTAL_DATA_DIR)."
        )
        end(export, States.FAILED, sentence, now)
        return
    export.restarts += 1
    export.rows_written = export.bytes_written = 0
    export.cursor = numbering.first_of(export.ends_at)
    export.next_attempt_at, export.leased_until, export.broken_off = now, None, 0


def end(export: RequestExport, state: RequestExport.States, sentence: str, now: datetime) -> None:
    """No file any more; the row tells for a week why. Whoever is writing is shut out."""
    export.state, export.message = state, sentence
    export.generation += 1
    export.leased_until, export.next_attempt_at = None, now + ROW_KEPT
    export.filters = {}
    name = export.file_name
    after_commit(lambda: files.remove(name))


def cancel(export: RequestExport, now: datetime) -> None:
    """Stop writing it."""
    end(export, States.CANCELLED, "", now)


def delete(export: RequestExport) -> None:
    """Row and file."""
    name = export.file_name
    db.session.delete(export)
    after_commit(lambda: files.remove(name))


def retire(export: RequestExport, now: datetime) -> None:
    """What comes after its time: first the file goes, a week later the row."""
    if export.state == States.READY:
        end(export, States.EXPIRED, "", now)
        export.label = ""
    else:
        delete(export)


def withdraw(account_id: int, reason: str, now: datetime) -> int:
    """End all exports of an account, as they may hold what must not be anywhere; how many.

    `reason` is a sentence for their page. Call it in the transaction that ends an erasure: an
    export that began during the erasure may have read what was not erased yet.
    """
    query = (
        select(RequestExport)
        .where(RequestExport.account_id == account_id)
        .order_by(RequestExport.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    withdrawn = 0
    for export in db.session.scalars(query):
        export.label = ""
        if export.has_file:
            end(export, States.WITHDRAWN, reason, now)
            withdrawn += 1
    return withdrawn
