"""What was said: a session up to a request, or the messages that one request sent. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from portal.request_history import stored, traces
from portal.request_history.stored import Stored
from portal.request_history.traces import ToolCall

ROLES = {
    "user": "Visitor",
    "assistant": "Assistant",
    "system": "System role",
    "developer": "System role",
    "tool": "Tool",
}


@dataclass(frozen=True)
class Said:
    """One thing that was said; `is_cut` when only its beginning is there any more."""

    role: str
    text: str
    is_visitor: bool = False
    is_error: bool = False
    tools: tuple[ToolCall, ...] = field(default=())


def of_turns(turns: Iterable[tuple[Any, Stored | None, Stored | None]]) -> list[Said]:
    """Questions and answers in their order, with the tools between them."""
    return [said for turn in turns for said in of_turn(*turn)]


def of_turn(row: Any, request: Stored | None, response: Stored | None) -> list[Said]:
    """Question and answer of one request; what is gone is told by its first letters."""
    asked = stored.question(request) or stored.printable(row.question_preview)
    answered = stored.answer(response) or stored.printable(row.answer_preview)
    tools = tuple(traces.tool_calls(response.mapping)) if response else ()
    found = [Said("Visitor", asked or "Empty", is_visitor=True)]
    if answered or tools:
        found.append(Said("Assistant", answered, tools=tools))
    if row.error_text:
        found.append(Said("", stored.printable(row.error_text), is_error=True))
    return found


def of_messages(request: Stored | None) -> list[Said]:
    """The messages that were sent, where the row keeps them."""
    return [
        Said(ROLES.get(role, role or "Message"), text, is_visitor=role == "user")
        for role, text in stored.messages(request)
    ]
