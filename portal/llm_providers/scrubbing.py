"""Keeps the account's key out of answers, should a provider ever repeat it."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from portal.llm_providers import ChatAnswer
from portal.llm_providers.failures import HIDDEN, SHORTEST_SECRET
from portal.llm_providers.messages import TEXTS


class KeyScrubber:
    """Lets a streamed text through, except the key; holds back what may be the key's beginning."""

    def __init__(self, key: str) -> None:
        self._key = key if len(key) >= SHORTEST_SECRET else ""
        self._held = ""

    def feed(self, text: str) -> str:
        """The part of the text so far that is safe to show."""
        if not self._key:
            return text
        text = (self._held + text).replace(self._key, HIDDEN)
        kept = self._beginning_of_key_at_end(text)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def rest(self) -> str:
        """What was held back, once nothing follows."""
        held, self._held = self._held, ""
        return held

    def _beginning_of_key_at_end(self, text: str) -> int:
        longest = min(len(text), len(self._key) - 1)
        return next((n for n in range(longest, 0, -1) if text.endswith(self._key[:n])), 0)


class DeltaScrubber:
    """The same for the deltas of a stream: each text, and the arguments of each tool, by itself."""

    def __init__(self, key: str) -> None:
        self._key = key if len(key) >= SHORTEST_SECRET else ""
        self._texts: dict[str | int, KeyScrubber] = {}

    def feed(self, delta: Mapping[str, Any]) -> dict[str, Any]:
        """The part of this delta that is safe to show, with what was held back before."""
        safe = dict(delta)
        if not self._key:
            return safe
        for name in TEXTS:
            if name in delta:
                safe[name] = self._text(name).feed(delta[name])
        if "tool_calls" in delta:
            safe["tool_calls"] = [self._call(call) for call in delta["tool_calls"]]
        return safe

    def rest(self) -> Iterator[dict[str, Any]]:
        """What was held back, once nothing follows."""
        for name, text in self._texts.items():
            held = text.rest()
            if held and isinstance(name, str):
                yield {name: held}
            elif held:
                yield {"tool_calls": [{"index": name, "function": {"arguments": held}}]}

    def _text(self, name: str | int) -> KeyScrubber:
        return self._texts.setdefault(name, KeyScrubber(self._key))

    def _call(self, call: Mapping[str, Any]) -> dict[str, Any]:
        safe = {
            name: value.replace(self._key, HIDDEN) if isinstance(value, str) else value
            for name, value in call.items()
        }
        function = dict(call["function"])
        if "name" in function:
            function["name"] = function["name"].replace(self._key, HIDDEN)
        if "arguments" in function:
            function["arguments"] = self._text(call["index"]).feed(function["arguments"])
        return {**safe, "function": function}


def scrubbed(answer: ChatAnswer, key: str) -> ChatAnswer:
    """The answer without the key in its text or its JSON."""
    if len(key) < SHORTEST_SECRET:
        return answer
    if key not in json.dumps([answer.raw, answer.message]):
        return answer
    return dataclasses.replace(
        answer,
        text=answer.text.replace(key, HIDDEN),
        raw=_without(answer.raw, key),
        message=_without(answer.message, key),
    )


def _without(content: dict[str, Any], key: str) -> dict[str, Any]:
    hidden: dict[str, Any] = json.loads(json.dumps(content).replace(key, HIDDEN))
    return hidden
