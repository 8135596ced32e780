"""What exporting a large history costs the worker, beside a loop of SQL and JSON written by hand.

`python -m bench.exporting [--requests 1000000] [--format jsonl]`; see bench/README.md. Each runs in
a process of its own, whose peak of resident memory is told; SQLite.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, make_url, select

from bench.processes import free_port
from bench.rig import Rig, rig
from portal.accounts.models import Account
from portal.app import create_worker_app
from portal.database import Serialized, db, utc_now
from portal.history_exports import exporting
from portal.history_exports.jobs import advance_export
from portal.history_exports.models import RequestExport
from portal.history_search.filters import parse
from portal.request_history.models import LLMClientRequests, RequestBody
from portal.request_history.numbering import new_number
from portal.request_history.storing import whole
from portal.settings import Settings

BATCH = 5_000
ANSWER = Serialized(json.dumps({"text": " ".join(f"word{number}" for number in range(150))}))
EVERY = whole({"created_at": None, "request": {}})
BY_HAND = """
SELECT r.id, r.created_at, r.llm_client_name, r.hostname, r.mode, r.session_key, r.request_id,
  r.provider, r.model, r.status, r.latency_ms, r.tokens_in, r.tokens_out, r.cost_micros,
  b.request, b.response
FROM llm_client_requests r LEFT JOIN llm_client_request_bodies b ON b.id = r.id
WHERE r.account_id = ? ORDER BY r.id DESC
"""


def main() -> None:
    """Fill, export, write by hand; or be one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--format", choices=("csv", "jsonl"), default="jsonl")
    parser.add_argument("--part", choices=("export", "by-hand"), help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part == "export":
        _export(given.number)
    elif given.part == "by-hand":
        _by_hand(given.number)
    else:
        with rig(free_port()) as found:
            _compare(found, given.requests, given.format)


def _compare(found: Rig, requests: int, file_format: str) -> None:
    with found.worker.app_context():
        now = utc_now()
        account = db.session.scalars(select(Account)).one()
        _fill(account, requests, now)
        filters = parse({"range": "30d"}, ZoneInfo(account.timezone), now)
        name = secrets.token_hex(16)
        wanted = RequestExport.Formats(file_format)
        export = exporting.begin(account, None, wanted, filters, None, name, utc_now())
        db.session.commit()
        numbers = {"export": export.id, "by-hand": account.id}
        db.session.remove()
    told = {}
    for part, number in numbers.items():
        told[part] = values = _measured(found, part, number)
        a_second, steps = values["rows"] / values["seconds"], values["steps"]
        print(
            f"{part:8} {values['rows']:>9,} requests, {values['octets'] / 1e6:,.0f} MB,"
            f" {steps} steps: {values['seconds']:.1f} s ({values['cpu']:.1f} s of a core),"
            f" {a_second:,.0f} a second, memory {values['before'] / 1e3:.1f} MB before and"
            f" {values['peak'] / 1e3:.1f} MB at most",
            flush=True,
        )
    print(f"ratio    {told['export']['cpu'] / told['by-hand']['cpu']:.2f} of processor time")


def _fill(account: Account, count: int, now: datetime) -> None:
    started, step = time.monotonic(), timedelta(days=29) / count
    for first in range(0, count, BATCH):
        rows = [_row(account, n, now - n * step) for n in range(first, min(first + BATCH, count))]
        db.session.execute(insert(LLMClientRequests.__table__), rows)  # type: ignore[arg-type]
        db.session.execute(insert(RequestBody.__table__), rows)  # type: ignore[arg-type]
        db.session.commit()
        if sys.stderr.isatty():
            sys.stderr.write(f"\rfilled {first + len(rows):,} of {count:,}")
    sys.stderr.write(f"\rfilled {count:,} requests in {time.monotonic() - started:.0f} s\n")


def _row(account: Account, number: int, at: datetime) -> dict[str, Any]:
    return {
        **EVERY,
        "id": new_number(at),
        "created_at": at,
        "updated_at": at,
        "account_id": account.id,
        "llm_client_id": None,
        "llm_client_name": "museum_guide",
        "request_id": f"{number:024x}",
        "session_key": f"{number // 5:064x}",
        "request": Serialized(f'{{"message": "Question {number} of a visitor"}}'),
        "response": ANSWER,
        "status": 502 if number % 50 == 0 else 200,
        "latency_ms": 400 + number % 900,
        "tokens_in": 40,
        "tokens_out": 150,
        "mode": "default",
        "provider": "demo",
        "model": "demo",
    }


def _measured(found: Rig, part: str, number: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.exporting", "--part", part, "--number", str(number)]
    done = subprocess.run(
        command, env={**os.environ, **found.environ}, capture_output=True, text=True, check=True
    )
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def _tell(before: int, started: tuple[float, float], rows: int, octets: int, steps: int) -> None:
    seconds, cpu = (now - then for now, then in zip(_times(), started, strict=True))
    told = {"before": before, "peak": _peak(), "seconds": seconds, "cpu": cpu}
    print(json.dumps({**told, "rows": rows, "octets": octets, "steps": steps}))


def _times() -> tuple[float, float]:
    """Of the wall's clock, and of this process on a core."""
    return time.monotonic(), time.process_time()


def _peak() -> int:
    """KB. Not ru_maxrss, in which the starting process counts too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def _export(number: int) -> None:
    """The worker's job, again and again until the file is ready."""
    app = create_worker_app(Settings.from_environ(os.environ))
    with app.app_context():
        before, started, steps = _peak(), _times(), 0
        while True:
            advance_export(number)
            steps += 1
            export = db.session.get_one(RequestExport, number, populate_existing=True)
            db.session.commit()
            if export.state != exporting.States.WRITING:
                break
        _tell(before, started, export.rows_written, export.bytes_written, steps)


def _by_hand(number: int) -> None:
    """One statement, one loop."""
    settings = Settings.from_environ(os.environ)
    before, started, rows = _peak(), _times(), 0
    path = Path(settings.data_dir) / "by-hand.jsonl"
    connection = sqlite3.connect(str(make_url(settings.database_url).database))
    with path.open("w") as file:
        cursor = connection.execute(BY_HAND, (number,))
        names = [column[0] for column in cursor.description]
        for row in cursor:
            values = dict(zip(names, row, strict=True))
            values["request"] = json.loads(values["request"])
            values["response"] = json.loads(values["response"])
            file.write(json.dumps(values, ensure_ascii=False) + "\n")
            rows += 1
    connection.close()
    _tell(before, started, rows, path.stat().st_size, 1)


if __name__ == "__main__":
    main()
