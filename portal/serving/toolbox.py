"""What the model of a client may call while it answers, and what it is told beforehand.

`toolbox_of` builds it for one question. `call` takes what the model wrote, so nothing in it is
trusted, and a failure is a sentence for the model: it never raises.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from portal.adapters import current_adapters
from portal.database import current_settings
from portal.errors import PortalError
from portal.functions import Answer, Function
from portal.llm_providers.messages import storable
from portal.plugins.calling import ServedPlugin
from portal.plugins.models import Plugin
from portal.serving.served import Served

log = logging.getLogger(__name__)

LONGEST_TEXT = 16_000
LONGEST_CONTEXT = 64 * 1024
LONGEST_DESCRIPTION = 1_000
MOST_CONTEXT = 128 * 1024
MOST_SECONDS_BEFOREHAND = 10
LONGEST_ARGUMENTS = 32_000
LONGEST_NAME = 64
FUNCTION, PLUGIN = "function", "plugin"
NOT_AN_OBJECT = "The arguments must be a JSON object that follows the tool's schema."
BROKEN = "This tool failed. Answer without it."
_STRANGE = re.compile(r"[^A-Za-z0-9_-]+")


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


class Toolbox:
    """The tools of one question.

    `specs`: entries of the OpenAI `tools` list; `context`: texts for the system role; `used`: what
    was selected or called beforehand, for the history.
    """

    def __init__(
        self,
        tools: Iterable[Tool] = (),
        context: Iterable[str] = (),
        used: Iterable[dict[str, Any]] = (),
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self.specs: tuple[dict[str, Any], ...] = tuple(tool.spec for tool in self._tools.values())
        self.context: tuple[str, ...] = tuple(context)
        self.used: tuple[dict[str, Any], ...] = tuple(used)

    def offers(self, name: str) -> bool:
        """Whether a tool of this name is in the box."""
        return name in self._tools

    def call(self, name: str, arguments: str, now: datetime) -> ToolOutcome:
        """Call a tool with the JSON text that the model wrote. Never raises; bounded in time."""
        tool = self._tools.get(name)
        if tool is None:
            told = storable(name)[:LONGEST_NAME]
            return ToolOutcome(f"There is no tool named {told}.", True, told, FUNCTION, 0)
        parsed = parsed_arguments(arguments)
        if parsed is None:
            return ToolOutcome(NOT_AN_OBJECT, True, tool.label, tool.source, 0)
        return tool.outcome(parsed, now)


EMPTY = Toolbox()


def parsed_arguments(text: str) -> dict[str, Any] | None:
    """The object that a model wrote as JSON, empty for no text; None where it is none."""
    if len(text) > LONGEST_ARGUMENTS:
        return None
    try:
        found = json.loads(text.strip() or "{}", parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def toolbox_of(served: Served, question: str, now: datetime) -> Toolbox:
    """What the model of this client gets for this question (the visitor's last message).

    Without functions and plugins nothing is asked of anybody. A selected plugin that needs no
    values is called here: at most 5 s each, none is begun after 10 s.
    """
    names = served.content.get("functions") or ()
    if not names and not served.plugins:
        return EMPTY
    known = current_adapters().functions
    zone = ZoneInfo(served.timezone)
    tools = [function_tool(known[name], zone) for name in names if name in known]
    plugins = _Plugins(served.plugins, current_settings().allow_private_addresses)
    plugins.prepare(question, now)
    return Toolbox([*tools, *plugins.tools], plugins.context, plugins.used)


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


class _Plugins:
    """The plugins of one question: which speak for themselves, and which the model may call."""

    def __init__(self, plugins: Iterable[ServedPlugin], allow_private: bool) -> None:
        taken: set[str] = set()
        self._pairs = [
            (plugin, _plugin_tool(plugin, _tool_name(plugin.name, taken), allow_private))
            for plugin in plugins
        ]
        self.tools: list[Tool] = []
        self.context: list[str] = []
        self.used: list[dict[str, Any]] = []

    def prepare(self, question: str, now: datetime) -> None:
        """Sort them; call beforehand what was selected and needs no values of the model."""
        started = time.monotonic()
        for plugin, tool in self._pairs:
            if plugin.is_offered:
                self.tools.append(tool)
            elif plugin.is_selected(question):
                is_late = time.monotonic() - started > MOST_SECONDS_BEFOREHAND
                is_full = sum(map(len, self.context)) > MOST_CONTEXT
                if plugin.needs_values or is_late or is_full:
                    self.tools.append(tool)
                else:
                    self._ask(plugin, tool, now)

    def _ask(self, plugin: ServedPlugin, tool: Tool, now: datetime) -> None:
        longest = LONGEST_CONTEXT if plugin.kind == Plugin.Kinds.STATIC else LONGEST_TEXT
        outcome = tool.outcome({}, now, longest)
        self.used.append(outcome.noted())
        if not outcome.is_error:
            about = f" ({plugin.description})" if plugin.description else ""
            self.context.append(f"From “{plugin.name}”{about}:\n{outcome.text}")
        else:
            self.tools.append(tool)  # the model may try once more


def _plugin_tool(plugin: ServedPlugin, name: str, allow_private: bool) -> Tool:
    def run(arguments: dict[str, Any], now: datetime) -> Answer:
        return Answer(plugin.call(arguments, allow_private=allow_private))

    return Tool(
        name=name,
        label=plugin.name,
        source=PLUGIN,
        description=(plugin.description or plugin.name)[:LONGEST_DESCRIPTION],
        parameters=plugin.parameters,
        run=run,
    )


def _tool_name(name: str, taken: set[str]) -> str:
    """`plugin_` and the name in the letters that providers take; a second one gets a number."""
    stem = f"plugin_{_STRANGE.sub('_', name).strip('_')}"[: LONGEST_NAME - 4].rstrip("_")
    found, number = stem, 2
    while found in taken:
        found, number = f"{stem}_{number}", number + 1
    taken.add(found)
    return found
