"""What a prompt costs at least with Flask: one kept connection a thread, one durable row a request.

Served by the portal's own gunicorn.conf.py. No routing by host, no thread of the conversation, no
session, no guard, no sums: the limit that the portal is measured against.
"""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, request

application = Flask(__name__)
PROVIDER = ("127.0.0.1", int(os.environ.get("BENCH_PROVIDER_PORT", "0")))
DATABASE = os.environ.get("BENCH_LIMIT_DATABASE", "")
JSON = {"Content-Type": "application/json"}
_kept = threading.local()


def _database() -> sqlite3.Connection:
    if not hasattr(_kept, "database"):
        _kept.database = sqlite3.connect(DATABASE, isolation_level=None, timeout=5)
        _kept.database.execute("PRAGMA journal_mode = WAL")
        _kept.database.execute("PRAGMA synchronous = FULL")
        _kept.database.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, q, a)")
    return _kept.database


def _ask(latency: str, is_stream: bool) -> http.client.HTTPResponse:
    if not hasattr(_kept, "provider"):
        _kept.provider = http.client.HTTPConnection(*PROVIDER)
    sent = {"model": "bench", "messages": request.get_json()["messages"], "stream": is_stream}
    _kept.provider.request("POST", f"/{latency}/v1/chat/completions", json.dumps(sent), JSON)
    return _kept.provider.getresponse()


def _record(question: str, answer: str) -> None:
    _database().execute("INSERT INTO rows (q, a) VALUES (?, ?)", (question, answer))


@application.post("/<latency>/prompt/")
def prompt(latency: str) -> Any:
    answer = json.loads(_ask(latency, False).read())
    text = answer["choices"][0]["message"]["content"]
    _record(request.get_data(as_text=True), text)
    return answer


@application.post("/<latency>/stream")
def stream(latency: str) -> Response:
    response, question = _ask(latency, True), request.get_data(as_text=True)

    def parts() -> Iterator[bytes]:
        said = []
        while line := response.readline():
            said.append(line.decode())
            yield line
        _record(question, "".join(said))

    return Response(parts(), mimetype="text/event-stream")
