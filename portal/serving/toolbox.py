"""What the model of a client may call while it answers, and what it is told beforehand.

`toolbox_of` builds it for one question. `call` takes what the model wrote, so nothing in it is
trusted, and a failure is a sentence for the model: it never raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from portal.adapters import current_adapters
from portal.database import current_settings
from portal.llm_providers.messages import storable
from portal.serving.plugin_tools import PluginTools
from portal.serving.served import Served
from portal.serving.tools import FUNCTION, LONGEST_NAME, Tool, ToolOutcome, function_tool

LONGEST_ARGUMENTS = 32_000
NOT_AN_OBJECT = "The arguments must be a JSON object that follows the tool's schema."


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
    plugins = PluginTools(served.plugins, current_settings().allow_private_addresses)
    plugins.prepare(question, now)
    return Toolbox([*tools, *plugins.tools], plugins.context, plugins.used)
