"""The worker's part: write for two seconds, store how far that is, and ring again.

The file is flushed to the disk before the row says so. Whoever is killed leaves octets beyond
those that the row knows; the next one cuts them off and goes on there, so no request is in a file
twice and none is left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from sqlalchemy import select

from portal.accounts.models import Account
from portal.database import db, reading, utc_now
from portal.history_exports import exporting, files
from portal.history_exports.exporting import States
from portal.history_exports.formats import WRITERS
from portal.history_exports.models import WITH_FILE, RequestExport
from portal.history_exports.reading import rows_below
from portal.history_exports.selection import Selection, selected
from portal.job_queue import Ring, claim, enqueue, job, job_name, rings_of, still_ours, sweep

MOST_AT_ONCE = 20
LONGEST_SECONDS = 2.0
STRAYS_EVERY_SECONDS = 300
BUSY_PAUSE = timedelta(seconds=5)
CLIENT_GONE = "The LLM client was deleted meanwhile."


@dataclass(frozen=True)
class Position:
    """How far a file is: numbers below `cursor` are still to come."""

    cursor: int
    rows: int
    octets: int
    is_done: bool = False


@sweep
def due_exports(now: datetime) -> Iterator[Ring]:
    """Exports that are being written or whose time is over; now and then, files of nobody."""
    yield from rings_of(RequestExport, advance_export, now, most=MOST_AT_ONCE)
    if int(now.timestamp()) % STRAYS_EVERY_SECONDS < 2:
        yield Ring(job_name(remove_strays), (), str(int(now.timestamp()) // STRAYS_EVERY_SECONDS))


@job
def advance_export(export_id: int) -> None:
    """Write the next part of a file, or take away what has had its time."""
    now = utc_now()
    export = claim(RequestExport, export_id, now)
    if export is None:
        return
    if export.state != States.WRITING:
        exporting.retire(export, now)
    elif not exporting.gave_up(export, now):
        _advance(export)
    db.session.commit()


def _advance(export: RequestExport) -> None:
    export_id, generation, name = export.id, export.generation, export.file_name
    position = Position(export.cursor, export.rows_written, export.bytes_written)
    account = db.session.get_one(Account, export.account_id)
    selection = selected(account, export.filters, export.starts_at, export.ends_at)
    if selection is None:
        exporting.end(export, States.FAILED, CLIENT_GONE, utc_now())
        return
    file_format = str(export.format)
    db.session.commit()
    try:
        with files.locked(name) as file:
            files.leave_room(file)
            found = None
            if os.fstat(file.fileno()).st_size >= position.octets:
                found = written(file, file_format, selection, position)
            _store(export_id, generation, found)
    except BlockingIOError:  # who lost the claim is still writing
        _come_back(export_id, generation)
    except OSError as error:
        _put_off(export_id, generation, files.sentence_of(error))
    _drop_unwanted(export_id, name)


def written(file: BinaryIO, file_format: str, selection: Selection, position: Position) -> Position:
    """Write from there for two seconds, and flush to the disk; how far it is then."""
    head, line = WRITERS[file_format]
    file.truncate(position.octets)
    file.seek(position.octets)
    if not position.octets:
        file.write(head())
    deadline = time.monotonic() + LONGEST_SECONDS
    cursor, rows, is_done = position.cursor, position.rows, True
    try:
        with reading(), closing(rows_below(db.session.connection(), selection, cursor)) as found:
            for number, row in found:
                cursor = number
                if row is not None:
                    file.write(line(row))
                    rows += 1
                if time.monotonic() > deadline:
                    is_done = False
                    break
        file.flush()
        os.fsync(file.fileno())
    except OSError:
        os.ftruncate(file.fileno(), position.octets)  # gives the room back
        raise
    finally:
        db.session.rollback()
    return Position(cursor, rows, file.tell(), is_done)


def _store(export_id: int, generation: int, position: Position | None) -> None:
    """How far it is, in one commit; None where the file lacks what the row knows."""
    now = utc_now()
    export = still_ours(RequestExport, export_id, generation)
    if export is not None and position is None:
        exporting.start_over(export, now)
    elif export is not None and position is not None:
        export.cursor, export.rows_written = position.cursor, position.rows
        export.bytes_written = position.octets
        export.leased_until, export.broken_off, export.attempt, export.message = None, 0, 0, ""
        if position.is_done:
            exporting.finish(export, now)
        else:
            export.next_attempt_at = now
            enqueue(advance_export, export_id, key=f"{export_id}-{generation}")
    db.session.commit()


def _come_back(export_id: int, generation: int) -> None:
    export = still_ours(RequestExport, export_id, generation)
    if export is not None:
        export.next_attempt_at, export.leased_until = utc_now() + BUSY_PAUSE, None
        export.broken_off = 0
    db.session.commit()


def _put_off(export_id: int, generation: int, sentence: str) -> None:
    db.session.rollback()
    export = still_ours(RequestExport, export_id, generation)
    if export is not None:
        exporting.put_off(export, sentence, utc_now())
    db.session.commit()


def _drop_unwanted(export_id: int, name: str) -> None:
    """Whoever cancelled it meanwhile removed a file that was perhaps made only after that."""
    state = db.session.scalar(select(RequestExport.state).where(RequestExport.id == export_id))
    if state not in WITH_FILE:
        files.remove(name)


@job
def remove_strays() -> None:
    """Files of exports that are gone: of deleted accounts, or left by killed processes.

    The folder is listed before the rows are asked for: a file is never older than its row.
    """
    present = files.names()
    query = select(RequestExport.file_name).where(
        RequestExport.file_name.in_(present), RequestExport.state.in_(WITH_FILE)
    )
    wanted = set(db.session.scalars(query)) if present else set()
    db.session.commit()
    for name in present:
        if name not in wanted:
            files.remove(name)
