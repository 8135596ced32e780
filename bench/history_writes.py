"""What recording costs in a history that is large already, beside a bare table without an index.

`python -m bench.history_writes --folder F [--database URL] [--requests 5000]`, of a folder that
`bench.history_pages` has filled. The rows stay there. See bench/README.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from bench.conversations import Conversations
from bench.multiplied import ANSWERS
from bench.processes import free_port
from bench.rig import rig
from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.history_search.jobs import index_some
from portal.llm_clients.models import LLMClient
from portal.request_history import storing
from portal.request_history.storing import Visit, whole

BATCH = 200
BARE = "CREATE TABLE bench_bare (id BIGINT PRIMARY KEY, said TEXT, request TEXT, response TEXT)"
Told = list[tuple[dict[str, Any], Visit]]


def told_now(account: Account, count: int) -> Told:
    """Requests of the last second, as the recorder is handed them."""
    query = db.select(LLMClient.id, LLMClient.name).order_by(LLMClient.id)
    clients = [(row.id, row.name) for row in db.session.execute(query)]
    found = Conversations(account.id, clients, seed=int(time.time()), answers=ANSWERS)
    now = utc_now()
    made = []
    for number in range(count):
        row, request, response, _ = found._row(now + number * timedelta(microseconds=200))
        said = {"request": json.loads(request), "response": json.loads(response)}
        made.append((whole({**row, **said}), Visit(row["session_key"], row["session_key"][:32])))
    return made


def timed(name: str, told: Told, write: Callable[[Connection, Told], Any]) -> None:
    """Batch for batch, each in a durable commit."""
    db.session.commit()
    took = []
    for start in range(0, len(told), BATCH):
        batch = told[start : start + BATCH]
        began = time.perf_counter()
        with db.engine.begin() as connection:
            write(connection, batch)
        took.append(1000 * (time.perf_counter() - began))
    rate = 1000 * len(told) / sum(took)
    median, worst = statistics.median(took), max(took)
    print(f"  {name:34} {rate:10,.0f} {median:10.1f} {worst:10.1f}", flush=True)


def bare(connection: Connection, batch: Told) -> None:
    """The same octets, by one statement."""
    insert = text("INSERT INTO bench_bare VALUES (:id, :said, :request, :response)")
    connection.execute(insert, [_bare_row(row) for row, _ in batch])


def _bare_row(row: dict[str, Any]) -> dict[str, Any]:
    said = json.dumps(
        {name: value for name, value in row.items() if name not in NOT_SAID}, default=str
    )
    return {"id": time.perf_counter_ns(), "said": said, **{n: str(row[n]) for n in NOT_SAID}}


NOT_SAID = ("request", "response")


def learn(connection: Connection, batch: Sequence[Any]) -> None:
    """As many as were written, in the portions of the job."""
    for _ in range(-(-len(batch) // 50)):
        index_some(connection)


def main() -> None:
    """Write, and teach the index of words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--database", default="")
    parser.add_argument("--requests", type=int, default=5_000)
    chosen = parser.parse_args()
    more = {"DATABASE_URL": chosen.database} if chosen.database else {}
    with rig(free_port(), more, chosen.folder) as found, found.worker.app_context():
        account = db.session.scalars(db.select(Account)).one()
        told = told_now(account, chosen.requests)
        db.session.commit()
        gc.freeze()  # as the web server does (gunicorn.conf.py); what is told here is large
        gc.set_threshold(20_000, 20, 20)
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(f"load {load}; {db.engine.dialect.name}, {BATCH} requests a commit")
        print(" " * 37 + "rows/s   p50 ms   worst ms")
        with db.engine.begin() as connection:
            connection.execute(text(BARE))
        timed("a bare table, hand-written", told, bare)
        timed("row, body, session, sums, key", told, storing.insert)
        timed("its words", told, learn)
        with db.engine.begin() as connection:
            connection.execute(text("DROP TABLE bench_bare"))


if __name__ == "__main__":
    main()
