"""The database: one metadata, UTC times, what every row carries, and work done after a commit."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    String,
    event,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from portal.off_loop import off_loop
from portal.settings import Settings

log = logging.getLogger(__name__)

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLITE_BUSY_SECONDS = 5
QUICK_COMMIT_SECONDS = 0.001

# Whether the next transaction takes SQLite's write lock at once. A transaction that reads first and
# writes later could be refused without waiting, so everything that may write says so before.
_may_write: ContextVar[bool] = ContextVar("may_write", default=True)


class Model(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)


db = SQLAlchemy(model_class=Model, session_options={"expire_on_commit": False})

BigId = BigInteger().with_variant(Integer, "sqlite")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time on every engine; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    """The time for the edges of the program; verbs take it as an argument."""
    return datetime.now(UTC)


class ReadableJSON(TypeDecorator[Any]):
    """JSON out of the world: what no parser can read, broken or too deep, is None, not a fault."""

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any] | None:
        read = super().result_processor(dialect, coltype)
        if read is None:
            return None

        def forgiving(value: Any) -> Any:
            try:
                return read(value)
            except (ValueError, RecursionError):
                return None

        return forgiving

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """So that a part of it can be asked for by name."""
        return self.impl_instance.coerce_compared_value(op, value)


class TimestampedModel(Model):
    """A row with a key and the times of its making and last change, both indexed."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, index=True)
    updated_at: Mapped[datetime] = mapped_column(
        UTCDateTime, default=utc_now, onupdate=utc_now, index=True
    )


# Of a reference in a column that joined its table by a migration (migrations/env.py).
JOINED_LATER = {"joined_later": True}


class BackgroundProgress:
    """Columns of a row that jobs work on, one step at a time.

    `next_attempt_at` is when a job may look at the row again (None: nobody needs to);
    `leased_until` keeps others away; `generation` grows with each claim, so that what a late
    orphan writes is refused. `broken_off` counts claims in a row that stored no result.
    """

    step: Mapped[str] = mapped_column(String(40), default="")
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    generation: Mapped[int] = mapped_column(Integer, default=0)
    broken_off: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    leased_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    message: Mapped[str] = mapped_column(String(1000), default="")


@contextmanager
def reading() -> Iterator[None]:
    """Inside, transactions start without SQLite's write lock; what is written may be refused."""
    token = _may_write.set(False)
    try:
        yield
    finally:
        _may_write.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """Inside, transactions take SQLite's write lock at once, whatever the request declared."""
    token = _may_write.set(True)
    try:
        yield
    finally:
        _may_write.reset(token)


def declare_writes(may_write: bool) -> None:
    """Say for the rest of this request whether its transactions may write."""
    _may_write.set(may_write)


def end_reading() -> None:
    """Give back what was read for an answer, if anything was: no connection waits with it."""
    if db.session.registry.has():
        db.session.rollback()


def after_commit(action: Callable[[], None], session: Session | None = None) -> None:
    """Run `action` once the session's transaction is committed; forget it on rollback."""
    (session or db.session()).info.setdefault("after_commit", []).append(action)


@event.listens_for(Session, "after_commit")
def _act(session: Session) -> None:
    for action in session.info.pop("after_commit", []):
        action()


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, previous: Any) -> None:
    session.info.pop("after_commit", None)


def current_settings() -> Settings:
    """The settings of the running application."""
    settings: Settings = current_app.extensions["portal_settings"]
    return settings


def init_app(app: Flask, settings: Settings) -> None:
    """Connect the application; the pool is as large as the threads that may wait in it."""
    app.extensions["portal_settings"] = settings
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": 10,
        "max_overflow": 60,
        "pool_timeout": 5,
        "hide_parameters": True,  # what visitors said stands in no error text, and so in no log
        "json_serializer": json_text,
        "json_deserializer": json_value,
        "pool_pre_ping": not settings.database_url.startswith("sqlite"),
    }
    if settings.database_url.startswith("sqlite"):
        options: dict[str, Any] = app.config["SQLALCHEMY_ENGINE_OPTIONS"]
        options["connect_args"] = {"factory": PatientConnection}
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)


class Serialized(str):
    """JSON as text already, for a JSON column: what was written once is not written again."""

    __slots__ = ()


def json_text(value: Any) -> str:
    """What the database stores of a value of a JSON column."""
    return str(value) if isinstance(value, Serialized) else json.dumps(value)


def json_value(text: str | bytes) -> Any:
    """What a JSON column holds; None for what is deeper than a parser goes.

    PostgreSQL's driver reads JSON by itself, before a column's type sees it.
    """
    try:
        return json.loads(text)
    except RecursionError:
        return None


class PatientConnection(sqlite3.Connection):
    """Its commits wait for a slow disk without stopping the web server's loop.

    Where a flush is quicker than handing it to another thread, it is done at once.
    """

    seconds_lately = 0.0  # of a commit in this process, whoever made it

    def commit(self) -> None:
        """Commit, and flush."""
        if PatientConnection.seconds_lately > QUICK_COMMIT_SECONDS:
            off_loop(self._timed_commit)
        else:
            self._timed_commit()

    def _timed_commit(self) -> None:
        started = time.monotonic()
        super().commit()
        lately, took = PatientConnection.seconds_lately, time.monotonic() - started
        PatientConnection.seconds_lately = 0.9 * lately + 0.1 * took


def _take_write_lock(connection: Any) -> None:
    """Wait for SQLite's one writer, giving way to others meanwhile; 5 s at most."""
    raw, deadline = connection.connection.dbapi_connection, time.monotonic() + SQLITE_BUSY_SECONDS
    pause = 0.001
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                if "locked" not in str(error.orig) or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, 0.02)
    finally:
        raw.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_SECONDS * 1000}")


def _without_compiling(connection: Any, record: Any) -> None:
    connection.execute("SET jit = off")
    connection.commit()  # or the first rollback would take it back


def prepare_engine(engine: Engine) -> None:
    """SQLite: write-ahead log, durable commits, foreign keys, and BEGIN in our own hands.

    PostgreSQL: nothing is compiled for a statement. It compiles what it thinks to be long, which is
    every search of a large history: 300 ms for one that then takes less than one.
    """
    if engine.dialect.name != "sqlite":
        event.listen(engine, "connect", _without_compiling)
        return

    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {SQLITE_BUSY_SECONDS * 1000}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "cache_size = -4000",
            "secure_delete = ON",  # what was erased is not left in the file
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        if _may_write.get():
            _take_write_lock(connection)
        else:
            connection.exec_driver_sql("BEGIN")
