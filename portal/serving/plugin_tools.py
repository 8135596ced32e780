"""The plugins of one question: which speak for themselves, and which the model may call."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from portal.functions import Answer
from portal.plugins.calling import ServedPlugin
from portal.plugins.models import Plugin
from portal.serving.tools import LONGEST_NAME, LONGEST_TEXT, PLUGIN, Tool

LONGEST_DATA = 64 * 1024
LONGEST_DESCRIPTION = 1_000
MOST_CONTEXT = 128 * 1024
MOST_SECONDS_BEFOREHAND = 10
_STRANGE = re.compile(r"[^A-Za-z0-9_-]+")


class PluginTools:
    """`tools` for the model, `context` for the system role, `used` for the history."""

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
        longest = LONGEST_DATA if plugin.kind == Plugin.Kinds.STATIC else LONGEST_TEXT
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
