"""A provider of models on loopback that plays its answers in order and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from portal.database import db
from portal.providers.models import Provider
from tests.answering import JSON, AnsweringServer, Asked
from tests.people import People, Person
from tests.planes import Planes

STREAM = "text/event-stream"
MODEL = "some-model"
Answer = tuple[int, str, str]


def call(name: str, arguments: Any, call_id: str = "call_1") -> dict[str, Any]:
    """A call of a tool as a model makes it."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": call_id, "type": "function", "function": function}


def completion(
    text: str | None = "Fine.",
    *,
    calls: Sequence[dict[str, Any]] = (),
    tokens: tuple[int, int] = (7, 2),
) -> Answer:
    """A whole answer."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = list(calls)
    choice = {"index": 0, "message": message, "finish_reason": _finish(calls)}
    body = {"id": "up-1", "model": MODEL, "choices": [choice], "usage": _usage(tokens)}
    return 200, JSON, json.dumps(body)


def stream(
    *texts: str,
    calls: Sequence[dict[str, Any]] = (),
    tokens: tuple[int, int] = (7, 2),
    is_cut: bool = False,
) -> Answer:
    """The same in parts; one that is cut ends without its end."""
    deltas: list[dict[str, Any]] = [{"content": text} for text in texts]
    deltas += [{"tool_calls": [{"index": at, **one}]} for at, one in enumerate(calls)]
    events: list[dict[str, Any]] = [
        {"model": MODEL, "choices": [{"index": 0, "delta": delta}]} for delta in deltas
    ]
    if not is_cut:
        end = {"index": 0, "delta": {}, "finish_reason": _finish(calls)}
        events.append({"model": MODEL, "choices": [end]})
        events.append({"model": MODEL, "choices": [], "usage": _usage(tokens)})
    told = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return 200, STREAM, told if is_cut else f"{told}data: [DONE]\n\n"


def refusal(status: int) -> Answer:
    """An error."""
    return status, JSON, '{"error": {"message": "not now"}}'


def _finish(calls: Sequence[Any]) -> str:
    return "tool_calls" if calls else "stop"


def _usage(tokens: tuple[int, int]) -> dict[str, int]:
    return {
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "total_tokens": sum(tokens),
    }


class ModelServer(AnsweringServer):
    """Answers that it is good unless it is told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self.plays(completion())

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The bodies of what was asked, in order."""
        return [json.loads(asked.body) for asked in self.asked]

    def plays(self, *answers: Answer) -> None:
        """These from now on, one after the other; the last one again and again."""
        left = list(answers)

        def respond(_: Asked) -> Answer:
            with self._lock:
                return left.pop(0) if len(left) > 1 else left[0]

        self.respond = respond

    def is_provider(
        self,
        planes: Planes,
        person: Person,
        name: str = "vendor",
        *,
        prices: tuple[int, int] | None = None,
    ) -> None:
        """Enter it as a provider of the person's account; prices for a million tokens."""
        models: list[dict[str, Any]] = [{"name": MODEL}]
        if prices is not None:
            models[0] |= {"input_price": prices[0], "output_price": prices[1]}
        with planes.worker.app_context():
            db.session.add(
                Provider(
                    account_id=person.account_id,
                    name=name,
                    base_url=f"{self.url}/v1",
                    default_model=MODEL,
                    models=models,
                )
            )
            db.session.commit()


@pytest.fixture
def model_server(planes: Planes, people: People) -> Iterator[ModelServer]:
    """The provider `vendor` of Alice's account; a token in costs 1 micro-unit, one out 2."""
    with ModelServer() as server:
        server.is_provider(planes, people.alice, prices=(1_000_000, 2_000_000))
        yield server


@pytest.fixture
def second_server(planes: Planes, people: People) -> Iterator[ModelServer]:
    """Another one, `spare`, at half the price."""
    with ModelServer() as server:
        server.is_provider(planes, people.alice, "spare", prices=(500_000, 1_000_000))
        yield server
