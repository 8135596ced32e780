"""Keeps the account's key out of answers, should a provider ever repeat it."""

import dataclasses
import json

from portal.llm_providers import ChatAnswer
from portal.llm_providers.failures import HIDDEN, SHORTEST_SECRET


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


def scrubbed(answer: ChatAnswer, key: str) -> ChatAnswer:
    """The answer without the key in its text or its JSON."""
    if len(key) < SHORTEST_SECRET:
        return answer
    raw_text = json.dumps(answer.raw)
    if key not in raw_text:
        return answer
    raw = json.loads(raw_text.replace(key, HIDDEN))
    return dataclasses.replace(answer, text=answer.text.replace(key, HIDDEN), raw=raw)
