"""Who can write to Redis cannot make the worker run what is not ours, nor stop it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from rq import Callback, Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.webhook import Webhook

from portal.job_queue import QUEUE, Ring, job_name
from portal.system import heartbeats
from portal.system.jobs import answer_the_clock
from portal.tied_process import tied
from tests.kill.running_portal import ROOT, wait_until
from tests.planes import Planes

# About the queue, whatever the database.
pytestmark = pytest.mark.engine_independent


@pytest.fixture
def queue(planes: Planes) -> Queue:
    """The portal's queue as a stranger writes to it: RQ's own job class."""
    doorbell = planes.worker.extensions["portal_doorbell"]
    return Queue(QUEUE, connection=doorbell.connection, serializer=JSONSerializer)


@pytest.fixture
def worker(planes: Planes) -> Iterator[subprocess.Popen[bytes]]:
    """The real worker over this test's database and Redis, started when all is queued."""
    settings = planes.settings
    environ = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_PORT": str(settings.port),
        "PORTAL_SECRET_KEY": settings.secret_key,
        "PORTAL_ENCRYPTION_KEYS": " ".join(settings.encryption_keys),
        "PORTAL_INTERNAL_TOKEN": settings.internal_token,
        "PORTAL_TSIG_SECRET": settings.tsig_secret,
    }
    process = subprocess.Popen(
        tied([sys.executable, "-m", "portal.cli", "worker"]), cwd=ROOT, env=environ
    )
    yield process
    process.kill()
    process.wait(10)


def ring_and_wait(planes: Planes) -> None:
    """Ours is done after what was queued before it."""
    planes.worker.extensions["portal_doorbell"].ring(Ring(job_name(answer_the_clock), (), "1"))

    def is_answered() -> bool:
        counts = planes.worker.extensions["portal_doorbell"].counts()
        with planes.worker.app_context():
            seen_at = heartbeats.seen_at("worker")
        return seen_at is not None and counts["queued"] == counts["started"] == 0

    wait_until(is_answered, 20)


def test_a_command_of_a_stranger_is_not_run_and_ours_is(
    planes: Planes, queue: Queue, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    marks = [tmp_path / name for name in ("called", "succeeded", "failed", "unknown")]
    queue.enqueue_call("os.system", args=(f"touch {marks[0]}",), job_id="stranger-1")
    queue.enqueue_call(
        "portal.job_queue.perform",
        args=("system.answer_the_clock",),
        on_success=Callback("os.mkdir"),
        job_id="stranger-2",
    )
    queue.enqueue_call("portal.job_queue.perform", args=(f"touch {marks[3]}",), job_id="stranger-3")
    process = request.getfixturevalue("worker")
    ring_and_wait(planes)
    assert process.poll() is None
    assert not [mark for mark in marks if mark.exists()]
    refused = Job.fetch("stranger-1", connection=queue.connection, serializer=JSONSerializer)
    assert refused.is_failed
    assert "is not a job of the portal" in str(refused.latest_result().exc_string)


def test_a_web_hook_of_a_stranger_is_not_called(
    planes: Planes, queue: Queue, request: pytest.FixtureRequest
) -> None:
    called: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            called.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Nothing."""

    listener = HTTPServer(("127.0.0.1", 0), Listener)
    thread = Thread(target=listener.serve_forever, args=(0.01,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{listener.server_port}/"
        queue.enqueue_call(
            "portal.job_queue.perform",
            args=("system.answer_the_clock",),
            webhooks=[Webhook(url, state, method="POST") for state in ("finished", "failed")],
        )
        request.getfixturevalue("worker")
        ring_and_wait(planes)
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
    assert called == []


def test_rubbish_in_the_queue_does_not_stop_the_worker(
    planes: Planes, queue: Queue, request: pytest.FixtureRequest
) -> None:
    redis = queue.connection
    redis.hset("rq:job:rubbish-1", mapping={"data": b"\x80\x04rubbish", "status": "queued"})
    redis.hset("rq:job:rubbish-2", mapping={"data": b"[", "created_at": "never"})
    redis.rpush(f"rq:queue:{QUEUE}", "rubbish-1", "rubbish-2", "nothing-there")
    process = request.getfixturevalue("worker")
    ring_and_wait(planes)
    assert process.poll() is None


def test_queues_hold_names_and_numbers_only(planes: Planes, queue: Queue) -> None:
    planes.worker.extensions["portal_doorbell"].ring(Ring(job_name(answer_the_clock), (), "1"))
    (job,) = queue.get_jobs()
    assert job.func_name == "portal.job_queue.perform"
    assert list(job.args) == ["system.answer_the_clock"]
