"""What the demo provider says. No model answers here: it repeats, counts and says so. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

QUESTION_WORDS = 30
ROLE_WORDS = 12
OBJECT = re.compile(r"\{.*\}", re.DOTALL)
WORD = re.compile(r"\s*\S+\s*$|\s*\S+")


def demo_answer(messages: Sequence[Mapping[str, Any]]) -> str:
    """An answer that shows what a model would have got from this client."""
    questions = [text_of(message) for message in messages if message.get("role") == "user"]
    roles = [text_of(message) for message in messages if message.get("role") == "system"]
    sentences = [
        "This is the demo provider: no model answers here, your client works up to this point.",
        f"You asked: “{first_words(questions[-1], QUESTION_WORDS)}”."
        if questions
        else "You asked nothing yet.",
        *(
            f"The tool answered: “{first_words(text_of(result), QUESTION_WORDS)}”."
            for result in _results(messages)
        ),
        _turn(len(questions)),
        f"Its system role begins: “{first_words(roles[0], ROLE_WORDS)}”."
        if roles and roles[0]
        else "It has no system role.",
        "Choose another provider in the client's settings to get real answers.",
    ]
    return " ".join(sentences)


def demo_tool_calls(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Calls of the offered tools that the last question names, or that the caller insists on.

    A JSON object in the question becomes the arguments: `use get_weather {"city": "Bergen"}`.
    """
    last = content["messages"][-1]
    choice = content.get("tool_choice")
    if last.get("role") != "user" or choice == "none":
        return []
    question = text_of(last)
    offered = [tool["function"]["name"] for tool in content.get("tools") or []]
    named = [name for name in offered if name in question]
    if isinstance(choice, dict):
        named = [choice["function"]["name"]]
    elif choice == "required" and not named:
        named = offered[:1]
    arguments = _object_in(question)
    return [
        {
            "id": f"call_demo_{number}",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        for number, name in enumerate(named, 1)
    ]


def _object_in(text: str) -> str:
    found = OBJECT.search(text)
    try:
        return json.dumps(json.loads(found[0]), ensure_ascii=False) if found else "{}"
    except ValueError:
        return "{}"


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message whose content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return " ".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def first_words(text: str, count: int) -> str:
    """At most `count` words on one line, with an ellipsis where some are left out."""
    words = text.split()
    return " ".join(words[:count]) + (" …" if len(words) > count else "")


def pieces_of(text: str) -> list[str]:
    """The text cut into words, which are the demo's tokens; joined they are the text."""
    return WORD.findall(text)


def _results(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What tools answered since the last question."""
    results: list[Mapping[str, Any]] = []
    for message in messages:
        if message.get("role") == "user":
            results.clear()
        elif message.get("role") == "tool":
            results.append(message)
    return results


def _turn(number: int) -> str:
    if number < 2:
        return "It is the first turn of this conversation."
    return f"It is turn {number} of this conversation."
