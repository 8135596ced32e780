"""What people ask and are answered, invented: several languages, sizes, hours, bursts, failures.

Always the same for the same seed. Words are drawn so that few are frequent and most are rare.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from portal.history_search.words import normal

LETTERS = {
    "latin": "etaoinshrdlucmfwypvbgkäöüé",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "chinese": "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去",
}
SHARES = {"latin": 0.86, "arabic": 0.06, "chinese": 0.08}
EMOJI = ["🎟️", "👍", "🙂", "🏛️", "❤️"]
POOL = 4_000
VOCABULARY = 8_000
ERRORS = (
    (429, "rate_limited", "More than 20 requests a minute from this address."),
    (499, "visitor_left", ""),
    (502, "provider_error", "The provider answered 500."),
    (504, "timeout", "The provider did not answer within 60 s."),
)
MODELS = (("openai", "gpt-4o-mini"), ("openai", "gpt-4o"), ("anthropic", "claude-haiku"))
NEVER = {"api_key_id": None, "is_aggregation": False, "price_version": "2026-11-01"}


@dataclass(frozen=True)
class Said:
    """A question with its answer: as JSON, and as words that are searched for."""

    question: str
    answer: str
    request: str
    response: str
    words: str


class Conversations:
    """Rows of the history in the order of time, with the JSON texts and the words of each."""

    def __init__(
        self,
        account_id: int,
        clients: list[tuple[int, str]],
        seed: int = 7,
        *,
        answers: float = 5.9,
    ) -> None:
        """`answers` is the logarithm of an answer's usual length in characters."""
        self._chance = random.Random(seed)  # noqa: S311 - the same history each time
        self._account_id = account_id
        self._answers = answers
        self._clients = clients
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(clients))))
        self._vocabularies = {script: self._vocabulary(script) for script in LETTERS}
        self._pool = [self._said(number) for number in range(POOL)]
        self._sessions: dict[int, tuple[str, int]] = {}
        self._number = 0

    def _vocabulary(self, script: str) -> list[str]:
        letters, chance = LETTERS[script], self._chance
        longest = 3 if script == "chinese" else 10
        return [
            "".join(chance.choice(letters) for _ in range(chance.randint(1, longest)))
            for _ in range(VOCABULARY)
        ]

    def _text(self, script: str, length: int) -> str:
        words, vocabulary, chance = [], self._vocabularies[script], self._chance
        while length > 0:
            word = vocabulary[min(VOCABULARY - 1, int(chance.paretovariate(0.5)) - 1)]
            words.append(word)
            length -= len(word) + 1
        if chance.random() < 0.05:
            words.append(chance.choice(EMOJI))
        return " ".join(words)

    def _said(self, number: int) -> Said:
        [script] = self._chance.choices(list(SHARES), list(SHARES.values()))
        shorter = 3 if script == "chinese" else 1
        question = self._text(script, int(self._chance.lognormvariate(4.2, 0.6)) // shorter)
        answer = self._text(script, int(self._chance.lognormvariate(self._answers, 0.7)) // shorter)
        response = {
            "text": answer,
            "id": f"chatcmpl-{number:024x}",
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 684, "completion_tokens": 41, "total_tokens": 725},
            "system_fingerprint": f"fp_{number:010x}",
        }
        return Said(question, answer, json.dumps({"message": question}), json.dumps(response), "")

    def between(
        self, start: datetime, end: datetime, count: int
    ) -> Iterator[tuple[dict[str, Any], str, str, str]]:
        """So many rows between two times; each with its JSON texts and its words."""
        hours = max(1, int((end - start) / timedelta(hours=1)))
        weights = [self._weight(start + timedelta(hours=hour)) for hour in range(hours)]
        share, done = count / sum(weights), 0.0
        written = 0
        for hour, weight in enumerate(weights):
            done += weight * share
            many = (count if hour == hours - 1 else int(done)) - written
            written += many
            begin, step = start + timedelta(hours=hour), timedelta(hours=1) / max(1, many)
            for index in range(many):
                yield self._row(begin + index * step)

    def _weight(self, hour: datetime) -> float:
        """Days and nights, weekends, and now and then a burst."""
        day = 1 + 0.9 * math.sin((hour.hour - 8) / 24 * 2 * math.pi)
        burst = 8 if self._chance.random() < 0.01 else 1
        return day * (0.5 if hour.weekday() > 4 else 1) * burst

    def _row(self, at: datetime) -> tuple[dict[str, Any], str, str, str]:
        self._number += 1
        chance = self._chance
        said = self._pool[int(chance.random() * POOL)]
        [(client_id, name)] = chance.choices(self._clients, cum_weights=self._weights)
        key, left = self._sessions.get(client_id, ("", 0))
        if not left:
            key, left = f"{chance.getrandbits(256):064x}", chance.randint(1, 8)
        self._sessions[client_id] = key, left - 1
        status, cause, error = 200, "", ""
        if chance.random() < 0.03:
            status, cause, error = chance.choice(ERRORS)
        revision = 1 + at.toordinal() % 90 // (10 + client_id % 50)
        provider, model = MODELS[(client_id + revision) * 7 % 10 // 4]
        latency = int(chance.lognormvariate(7.1, 0.6))
        mark = f"order{self._number}"
        request = f'{{"message": "{mark} {said.request[13:]}'
        row = {
            "account_id": self._account_id,
            "llm_client_id": client_id,
            "llm_client_name": name,
            "created_at": at,
            "updated_at": at,
            "request_id": f"{chance.getrandbits(96):024x}",
            "session_key": key,
            "revision_number": revision,
            "hostname": f"{name}.example.test",
            "mode": "custom" if client_id % 10 < 3 else "default",
            "provider": provider,
            "model": model,
            "status": status,
            "error_code": cause,
            "error_text": error,
            "latency_ms": latency,
            "first_token_ms": latency // 3,
            "tokens_in": 684,
            "tokens_out": len(said.answer) // 4,
            "cost_micros": 120 + len(said.answer) // 4,
            "question_preview": f"{mark} {said.question}"[:200],
            "answer_preview": said.answer[:200],
            **NEVER,
        }
        words = "\n".join(
            (normal(f"{mark} {said.question}"), normal(said.answer), normal(error), key)
        )
        return row, request, said.response, words
