"""Every page of the history at 1, 5 and 10 million rows, beside hand-written SQL.

`python -m bench.history_pages [--millions 1 5 10] [--clients 1000] [--database URL] [--folder F]`;
SQLite in a folder of its own without a URL. A folder that is named is kept: the next run fills
nothing and visits the pages again. See bench/README.md.
"""

from __future__ import annotations

import argparse
import html
import os
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event, text

from bench.history import open_clients
from bench.history_addresses import DAYS, ROW, Sample, pages, sample_of
from bench.list_page import measured, settle, show, signed_in
from bench.multiplied import Multiplied
from bench.processes import free_port
from bench.rig import Rig, rig
from portal.accounts.models import Account
from portal.app import create_admin_app
from portal.database import db, reading, utc_now
from portal.llm_clients.models import LLMClient
from portal.request_history.numbering import moment_of
from portal.usage.series import of_account


def limit_app(engine: Engine, wanted: dict[str, tuple[str, str, dict[str, Any]]]) -> Flask:
    """The same rows without an ORM, a template, a session or a frame."""
    app = Flask("limit")

    @app.get("/<name>")
    def page(name: str) -> str:
        _, query, values = wanted[name]
        with reading(), engine.connect() as connection:
            rows = connection.execute(text(query), _used(query, values)).all()
        cells = (tuple(html.escape(str(value)) for value in row) for row in rows)
        lines = [ROW.format(*(*cell, "", "")[:7]) for cell in cells]
        return "<!doctype html><title>Requests</title><table>" + "".join(lines) + "</table>"

    return app


def _used(query: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in query}


def octets(engine: Engine) -> int:
    """What the database takes on the disk, its log put away."""
    db.session.commit()
    if engine.dialect.name == "postgresql":
        query = text("SELECT pg_database_size(current_database())")
        with engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)
    path = str(engine.url.database)
    with closing(sqlite3.connect(path)) as own:
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return os.path.getsize(path)


def visit(found: Rig, app: Flask, sample: Sample, only: str) -> None:
    """The table of one size, of the pages in whose names `only` is."""
    statements: list[str] = []
    with app.app_context():
        engine = db.engine
        wanted = {name: page for name, page in pages(sample).items() if only in name}

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    limit = limit_app(engine, wanted).test_client()
    browser, base = signed_in(app, found), found.settings.platform_url
    settle()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"load of {os.cpu_count()} cores: {load}; ten million additions in {_speed():.2f} s")
    print(" " * 29 + "p50 ms   p95 ms  of limit  queries   HTML kB   gzip kB    cpu ms")
    for name, (address, _, _) in wanted.items():
        least = measured(lambda name=name: limit.get(f"/{name}"), statements)
        got = measured(lambda at=address: browser.get(at, base_url=base), statements)
        show(f"{name}, limit", least, least.p50)
        show(name, got, least.p50)
    event.remove(engine, "before_cursor_execute", note)


def _speed() -> float:
    """Seconds that this machine takes for ten million additions in Python."""
    started, total = time.perf_counter(), 0
    for number in range(10_000_000):
        total += number
    return time.perf_counter() - started


def filled(chosen: argparse.Namespace, account: Account) -> Iterator[Sample]:
    """A sample of each size that is wanted; of what a kept folder has, if it has been filled.

    It grows further where it still has its base: while a larger size was wanted when it was left.
    """
    sizes = [int(size * 1_000_000) for size in sorted(chosen.millions)]
    grown = Multiplied(account.id, sizes[0], utc_now())
    empty = octets(db.engine)
    if db.session.scalars(db.select(LLMClient.id).limit(1)).first() is not None:
        yield _sample_there(account)
        if not grown.resume(db.engine):
            return
        empty = 0
    else:
        clients = open_clients(account, chosen.clients)
        grown.open(db.engine, clients, DAYS)
    for rows in (size for size in sizes if size > grown.rows):
        before = grown.rows
        spent = grown.grow(db.engine, rows)
        seconds = sum(spent.values())
        if rows == sizes[-1]:
            grown.close(db.engine)
        told = ", ".join(f"{name} {taken:,.0f}" for name, taken in spent.items())
        print(
            f"\n{rows:,} rows on {db.engine.dialect.name}: {rows - before:,} more in"
            f" {seconds:,.0f} s ({told}), {(rows - before) / seconds:,.0f} rows/s;"
            f" {(octets(db.engine) - empty) / rows:,.0f} octets a row",
            flush=True,
        )
        yield sample_of(account, rows, grown.now)


def _sample_there(account: Account) -> Sample:
    newest = db.session.execute(text("SELECT max(id) FROM llm_client_requests")).scalar()
    query = text("SELECT sum(answered + failed) FROM request_rollups WHERE series_id = :series")
    rows = int(db.session.execute(query, {"series": of_account(account.id).id}).scalar() or 0)
    print(f"\n{rows:,} rows on {db.engine.dialect.name}, from before")
    return sample_of(account, rows, moment_of(int(newest or 0)))


def main() -> None:
    """Fill up to each size, and visit the pages there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 5, 10])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--database", default="")
    parser.add_argument("--folder", default="")
    parser.add_argument("--only", default="", help="of the pages' names")
    chosen = parser.parse_args()
    more = {"DATABASE_URL": chosen.database} if chosen.database else {}
    with rig(free_port(), more, chosen.folder) as found:
        app = create_admin_app(found.settings)
        with found.worker.app_context():
            account = db.session.scalars(db.select(Account)).one()
            for sample in filled(chosen, account):
                db.session.commit()
                visit(found, app, sample, chosen.only)
                with app.app_context():
                    db.engine.dispose()
    print(f"\nlargest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:,.0f} MB")


if __name__ == "__main__":
    main()
