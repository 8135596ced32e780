"""Exports as their page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Account
from portal.database import db
from portal.formatting import StatusView, number, octets_in_words, plural, status_view
from portal.history_exports import files
from portal.history_exports.exporting import States
from portal.history_exports.models import RequestExport
from portal.request_history import numbering

MOST_SHOWN = 50
LOOKS = {
    States.WRITING: status_view("progress", "Being written"),
    States.READY: status_view("ready", "Ready"),
    States.CANCELLED: status_view("off", "Cancelled"),
    States.FAILED: status_view("failed", "Failed"),
    States.EXPIRED: status_view("off", "Deleted after a day"),
    States.WITHDRAWN: status_view("attention", "Withdrawn"),
}
IN_THE_WAY = status_view("attention", "Waiting")
LOST = status_view("failed", "File not found")
NOT_HERE = (
    "Its file is not on the machine that serves this page. The folder of PORTAL_DATA_DIR must be"
    " one that all machines share."
)


@dataclass(frozen=True)
class Row:
    """An export in the list; `percent` only while it is written."""

    export: RequestExport
    status: StatusView
    span: str
    told: str
    percent: int | None
    message: str
    is_here: bool


def for_account(account: Account, export_id: int, *, lock: bool = False) -> RequestExport | None:
    """The account's export of this number; None for any other's."""
    query = select(RequestExport).where(
        RequestExport.account_id == account.id, RequestExport.id == export_id
    )
    return db.session.scalar(query.with_for_update() if lock else query)


def rows_of(account: Account) -> list[Row]:
    """The newest exports."""
    zone = ZoneInfo(account.timezone)
    query = (
        select(RequestExport)
        .where(RequestExport.account_id == account.id)
        .options(joinedload(RequestExport.user))
        .order_by(RequestExport.id.desc())
        .limit(MOST_SHOWN)
    )
    return [_row(export, zone) for export in db.session.scalars(query)]


def _row(export: RequestExport, zone: ZoneInfo) -> Row:
    status, message, is_here = LOOKS[export.state], export.message, True
    if export.state == States.WRITING and message:
        status = IN_THE_WAY
    elif export.state == States.READY and not files.path_of(export.file_name).is_file():
        status, message, is_here = LOST, NOT_HERE, False
    percent = percent_of(export) if export.state == States.WRITING else None
    first, last = (at.astimezone(zone) for at in (export.starts_at, export.ends_at))
    span = f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
    return Row(export, status, span, _told(export), percent, message, is_here)


def _told(export: RequestExport) -> str:
    count = plural(export.rows_written, "request", "requests")
    if export.state == States.WRITING and export.expected_rows:
        return f"{number(export.rows_written)} of about {number(export.expected_rows)} requests"
    if export.state == States.READY:
        return f"{count}, {octets_in_words(export.bytes_written)}"
    return count if export.state == States.WRITING else ""


def percent_of(export: RequestExport) -> int:
    """By the rows where their number is known, else by the time that is behind; never all."""
    if export.expected_rows:
        share = export.rows_written / export.expected_rows
    else:
        share = _share_of_time(export, numbering.time_of(export.cursor))
    return max(0, min(99, int(100 * share)))


def _share_of_time(export: RequestExport, reached: datetime) -> float:
    length = (export.ends_at - export.starts_at).total_seconds()
    return (export.ends_at - reached).total_seconds() / length if length > 0 else 0.0
