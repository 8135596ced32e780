"""What the lists cost with 1,000 clients and 100,000 requests, beside a hand-written page.

`python -m bench.list_page [--clients 1000] [--requests 100000]`; see bench/README.md.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import html
import sqlite3
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event, make_url

from bench.conversations import Conversations
from bench.history import fill, open_clients
from bench.processes import free_port
from bench.rig import Rig, rig
from portal.accounts import signing_in
from portal.accounts.models import Account, User
from portal.app import create_admin_app
from portal.database import db, utc_now
from portal.request_history.numbering import first_of

ROUNDS = 40
ROW = "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
KEYSET = (
    "SELECT created_at, llm_client_name, question_preview, answer_preview, status"
    " FROM llm_client_requests WHERE account_id = ? AND id < ? ORDER BY id DESC LIMIT 51"
)
PAGES = {
    "requests, first page": "/requests/",
    "requests, deep page": "/requests/?before={middle}",
    "requests of one client": "/requests/?client={client}",
    "requests that failed": "/requests/?status=failed",
    "llm-clients": "/llm-clients/",
    "llm-clients, last page": "/llm-clients/?after=client_00940",
    "overview": "/",
    "one client": "/llm-clients/{client}/",
}


@dataclass(frozen=True)
class Measured:
    """A page: milliseconds, queries, octets; `cpu` is this process's time, without a server's."""

    p50: float
    p95: float
    queries: int
    size: int
    compressed: int
    cpu: float


def settle() -> None:
    """What the web process does once it is loaded (gunicorn.conf.py)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def measured(get: Callable[[], Any], statements: list[str]) -> Measured:
    """Several visits after two that do not count."""
    body = b""
    times, cpu = [], []
    for number in range(ROUNDS + 2):
        statements.clear()
        started, worked = time.perf_counter(), time.process_time()
        answer = get()
        taken, worked = time.perf_counter() - started, time.process_time() - worked
        assert answer.status_code == 200, answer.status
        body = answer.get_data()
        if number >= 2:
            times.append(1000 * taken)
            cpu.append(1000 * worked)
    parts = statistics.quantiles(times, n=20)
    asked = [text for text in statements if text.lstrip().upper().startswith(("SELECT", "WITH"))]
    return Measured(
        statistics.median(times),
        parts[18],
        len(asked),
        len(body),
        len(gzip.compress(body)),
        statistics.median(cpu),
    )


def limit_app(path: str, account_id: int) -> Flask:
    """The same 50 rows by key, without an ORM, a template, a session or a frame."""
    app = Flask("limit")
    connection = sqlite3.connect(path, check_same_thread=False)

    @app.get("/requests/")
    def requests() -> str:
        rows = connection.execute(KEYSET, (account_id, 2**63 - 1)).fetchmany(50)
        lines = [ROW.format(*(html.escape(str(value)) for value in row)) for row in rows]
        return "<!doctype html><title>Requests</title><table>" + "".join(lines) + "</table>"

    return app


def signed_in(app: Flask, found: Rig) -> Any:
    """A browser of the first admin."""
    browser = app.test_client()
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        token = signing_in.open_session(user, "127.0.0.1", "bench", utc_now())
        db.session.commit()
    with browser.session_transaction(base_url=found.settings.platform_url) as session:
        session["_user_id"], session["_fresh"] = token, True
    return browser


def show(name: str, page: Measured, limit: float) -> None:
    print(
        f"  {name:24} {page.p50:8.2f} {page.p95:8.2f} {page.p50 / limit:9.1f} {page.queries:8}"
        f" {page.size / 1000:9.1f} {page.compressed / 1000:9.1f} {page.cpu:9.2f}"
    )


def main() -> None:
    """Fill, then visit each page in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=100_000)
    chosen = parser.parse_args()
    with rig(free_port()) as found:
        with found.worker.app_context():
            account = db.session.scalars(db.select(Account)).one()
            account_id = account.id
            now = utc_now()
            conversations = Conversations(account_id, open_clients(account, chosen.clients))
            fill(conversations, chosen.requests, now - timedelta(days=30), now)
        path = str(make_url(found.settings.database_url).database)
        app = create_admin_app(found.settings)
        statements: list[str] = []
        with app.app_context():
            client = db.session.execute(db.text("SELECT min(hashed_id) FROM llm_clients")).scalar()

            @event.listens_for(db.engine, "before_cursor_execute")
            def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
                statements.append(statement)

        middle = first_of(utc_now() - timedelta(days=15))
        limit = limit_app(path, account_id).test_client()
        base = found.settings.platform_url
        browser = signed_in(app, found)
        settle()
        print(f"{chosen.clients:,} clients, {chosen.requests:,} requests; server time, in process")
        print(" " * 29 + "p50 ms   p95 ms  of limit  queries   HTML kB   gzip kB    cpu ms")
        at_least = measured(lambda: limit.get("/requests/"), statements)
        show("limit: 50 rows by key", at_least, at_least.p50)
        for name, pattern in PAGES.items():
            page = pattern.format(middle=middle, client=client)
            got = measured(lambda page=page: browser.get(page, base_url=base), statements)
            show(name, got, at_least.p50)


if __name__ == "__main__":
    main()
