"""The official JavaScript SDK against a deployed client, in Node: URL and key, no more."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.peers import COMPONENT
from tests.planes import Outside
from tests.sampling import some_short
from tests.serving.conftest import Visitor
from tests.serving.keys import make_key

RunSdk = Callable[..., Any]


@pytest.fixture
def run_sdk(npm_packages: Path, port: int, visitor: Visitor) -> RunSdk:
    """What a small program with the SDK gets, on the platform's host or on the client's own."""

    def run(scenario: str, key: str = "none", *, own_host: bool = False, **options: Any) -> Any:
        path = f"/api/v1/llm-clients/{visitor.client_id}/v1"
        base = f"http://{visitor.host}:{port}/v1" if own_host else f"http://localhost:{port}{path}"
        done = subprocess.run(
            ["node", COMPONENT / "sdk.mjs", scenario, base, key, json.dumps(options)],
            capture_output=True,
            text=True,
            timeout=30,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("own_host", [False, True], ids=["platform", "client's host"])
def test_a_chat(own_host: bool, run_sdk: RunSdk, visitor: Visitor) -> None:
    answer = run_sdk("chat", own_host=own_host)
    assert "You asked: “hello”" in answer["text"]
    assert answer["finish"] == "stop"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 10
    [row] = visitor.rows()
    assert (answer["request_id"], answer["session"]) == (row.request_id, row.session_key)


def test_a_stream_with_usage(run_sdk: RunSdk) -> None:
    answer = run_sdk("stream", own_host=True)
    assert "You asked: “hello”" in answer["text"]
    assert answer["usage"]["total_tokens"] > 10


def test_a_tool_is_called_and_its_result_is_used(run_sdk: RunSdk, visitor: Visitor) -> None:
    answer = run_sdk("tools")
    assert (answer["finish"], answer["name"]) == ("tool_calls", "get_weather")
    assert answer["arguments"] == {"city": "Bergen"}
    assert "It rains in Bergen." in answer["text"]
    assert [row.status for row in visitor.rows()] == [200, 200]


def test_the_models(run_sdk: RunSdk) -> None:
    assert run_sdk("models") == ["demo"]


def test_fields_that_are_not_honoured_are_tolerated(run_sdk: RunSdk) -> None:
    assert run_sdk("tolerant") == "stop"


def test_the_right_key_opens(run_sdk: RunSdk, visitor: Visitor) -> None:
    key = make_key(visitor)
    assert "hello" in run_sdk("chat", key)["text"]


@pytest.mark.parametrize("scenario", some_short(["chat", "stream", "models"], one_in=3))
def test_a_wrong_key_is_an_authentication_error(
    scenario: str, run_sdk: RunSdk, visitor: Visitor
) -> None:
    make_key(visitor)
    assert run_sdk(scenario, "wrong") == {
        "error": "AuthenticationError",
        "status": 401,
        "code": "invalid_api_key",
        "param": None,
        "type": "invalid_request_error",
        "has_request_id": True,
    }


@pytest.mark.parametrize(
    ("scenario", "error", "status", "param"),
    some_short(
        [
            ("other-model", "NotFoundError", 404, "model"),
            ("two-choices", "BadRequestError", 400, "n"),
        ],
        one_in=2,
    ),
)
def test_errors_name_what_is_wrong(
    scenario: str, error: str, status: int, param: str, run_sdk: RunSdk, visitor: Visitor
) -> None:
    answer = run_sdk(scenario)
    assert (answer["error"], answer["status"], answer["param"]) == (error, status, param)
    assert answer["type"] == "invalid_request_error"
    assert answer["has_request_id"]
    assert [row.status for row in visitor.rows()] == [status]


def test_a_program_that_has_had_enough_is_noticed(
    run_sdk: RunSdk, visitor: Visitor, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside.demo._server, "token_delay", 0.2)
    assert run_sdk("leave").get("chunks", 1) < 10
    end = time.monotonic() + 5
    while not visitor.rows() and time.monotonic() < end:
        time.sleep(0.05)
    assert [(row.status, row.error_code) for row in visitor.rows()] == [(499, "visitor_left")]
