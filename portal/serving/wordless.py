"""An answer without a word: a program can read why, a person would see an empty bubble. Pure."""

from __future__ import annotations

from dataclasses import replace

from portal.llm_providers import ChatAnswer
from portal.serving.questions import NotAnswered, Refusal

FILTERED = "The answer was held back by a content filter. Ask in other words."
CUT_OFF = "The model reached its limit before it had said a word. Ask for something shorter."
NOTHING = "The model said nothing. Ask again, or in other words."
SENTENCES = {"content_filter": ("filtered", FILTERED), "length": ("cut_off", CUT_OFF)}
STATUS = 502


def in_words(answer: ChatAnswer) -> ChatAnswer:
    """The answer with something to read; a model that refuses says so in a field of its own.

    Raises NotAnswered where there is nothing: the visitor is told why, as far as the model did
    (`finish_reason` of the chat completion object).
    """
    if answer.text.strip():
        return answer
    refused = answer.message.get("refusal")
    if isinstance(refused, str) and refused.strip():
        return replace(answer, text=refused)
    reason, sentence = SENTENCES.get(answer.finish_reason, ("wordless", NOTHING))
    detail = f'The model ended with "{answer.finish_reason}" and without a word.'
    raise NotAnswered(Refusal(sentence, STATUS, reason), detail)
