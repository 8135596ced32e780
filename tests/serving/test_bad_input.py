"""Whatever is sent, the answer is clear, the fault is never ours, and a prompt has its one row."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import func, select
from werkzeug.test import Client, EnvironBuilder

from portal.database import db
from portal.dispatching import Dispatcher
from portal.request_history.models import LLMClientRequests
from tests.sampling import some_short
from tests.serving.conftest import Visitor
from tests.serving.strange_requests import Strange, strange_request

SEEDS, REQUESTS_EACH = range(8), 300


@pytest.fixture
def client(visitor: Visitor) -> Client:
    planes = visitor.planes
    applications = planes.admin, planes.serving, planes.internal, planes.api
    return Client(Dispatcher(*applications, planes.settings))


def sent(client: Client, visitor: Visitor, strange: Strange) -> tuple[int, str]:
    platform = f"http://{visitor.planes.settings.platform_domain}"
    folder = f"/api/v1/llm-clients/{visitor.hashed_id}" if strange.on_platform else ""
    builder = EnvironBuilder(
        folder + strange.path,
        base_url=platform if strange.on_platform else visitor.base,
        method=strange.method,
        query_string=strange.query,
        input_stream=None,
        data=strange.body,
        headers={k: v for k, v in strange.headers.items() if k != "Content-Type"},
    )
    environ = builder.get_environ()
    environ["CONTENT_TYPE"] = strange.headers.get("Content-Type", "")
    if strange.host is not None:
        environ["HTTP_HOST"] = strange.host
    answer = client.run_wsgi_app(environ, buffered=True)
    body = b"".join(answer[0])
    return int(answer[1].split()[0]), body.decode("utf-8")


def rows(visitor: Visitor) -> int:
    with visitor.planes.worker.app_context():
        return db.session.scalar(select(func.count()).select_from(LLMClientRequests)) or 0


@pytest.mark.parametrize("seed", some_short(SEEDS, one_in=8))
def test_strange_requests(seed: int, client: Client, visitor: Visitor) -> None:
    dice, count = random.Random(seed), 0  # noqa: S311 - a repeatable test
    for number in range(REQUESTS_EACH):
        strange = strange_request(dice)
        status, body = sent(client, visitor, strange)
        told = f"{seed}/{number}: {strange!r:.600}"
        assert status < 500, f"{told} gave {status}: {body[:300]}"
        assert "Traceback" not in body, told
        assert status < 400 or body.strip(), f"{told} gave {status} without a word"
        count += strange.is_prompt
        found = rows(visitor)
        assert found == count, f"{told} gave {status} and {found - count + strange.is_prompt} rows"
