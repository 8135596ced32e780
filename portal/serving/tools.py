"""A tool that a model may call, and what came of a call: text or a sentence, never an exception."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from portal.errors import PortalError
from portal.functions import Answer, Function
from portal.llm_providers.messages import storable

log = logging.getLogger(__name__)

LONGEST_TEXT = 16_000
LONGEST_NAME = 64
FUNCTION, PLUGIN = "function", "plugin"
BROKEN = "This tool failed. Answer without it."


@dataclass(frozen=True)
class ToolOutcome:
    """What came of one call; `text` is for the model, `label` for the history."""

    text: str
    is_error: bool
    label: str
    source: str
    milliseconds: int

    def noted(self) -> dict[str, Any]:
        """The entry of the history."""
        return {
            "name": self.label,
            "source": self.source,
            "is_error": self.is_error,
            "milliseconds": self.milliseconds,
        }


@dataclass(frozen=True)
class Tool:
    """Something that the model may call; `run` may raise PortalError."""

    name: str
    label: str
    source: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[dict[str, Any], datetime], Answer]

    @property
    def spec(self) -> dict[str, Any]:
        """The entry of the OpenAI `tools` list."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }
        return {"type": "function", "function": function}

    def outcome(
        self, arguments: dict[str, Any], now: datetime, longest: int = LONGEST_TEXT
    ) -> ToolOutcome:
        """Run it, whatever happens inside; bounded in time by the tool itself."""
        started = time.monotonic()
        try:
            answer = self.run(arguments, now)
        except PortalError as error:
            answer = Answer(error.public_message, is_error=True)
        except Exception:
            log.exception("the tool %s failed", self.name)
            answer = Answer(BROKEN, is_error=True)
        return ToolOutcome(
            text=shortened(answer.text, longest),
            is_error=answer.is_error,
            label=self.label,
            source=self.source,
            milliseconds=int((time.monotonic() - started) * 1000),
        )


def shortened(text: str, longest: int = LONGEST_TEXT) -> str:
    """At most that many characters, all of them storable; a cut is told."""
    text = storable(text)
    if len(text) <= longest:
        return text
    note = "\n[The rest is left out.]"
    return text[: longest - len(note)] + note


def function_tool(function: Function, zone: ZoneInfo) -> Tool:
    """A built-in function as a tool; its today is that of the account's zone."""

    def run(arguments: dict[str, Any], now: datetime) -> Answer:
        return function.call(arguments, now.astimezone(zone))

    return Tool(
        name=function.name,
        label=function.name,
        source=FUNCTION,
        description=function.description,
        parameters=function.parameters,
        run=run,
    )
