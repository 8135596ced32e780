"""Log lines: one line for one event, whatever strangers typed into it (CWE-117)."""

from __future__ import annotations

import logging
import unicodedata

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
# Control characters, line and paragraph separators, and marks that turn the reading direction.
HARMFUL = ("Cc", "Cf", "Zl", "Zp", "Cs")


class OneLine(logging.Formatter):
    """Escapes what would begin a line of its own, colour a terminal or turn the text around.

    A traceback keeps its lines; they are of the code, and stand behind the event's own.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The event's line."""
        return escaped(super().formatMessage(record))


def escaped(text: str) -> str:
    """A text as one line of characters that only look like themselves."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in HARMFUL
        else character
        for character in text
    )


def set_up(level: int = logging.INFO) -> None:
    """Write events of this process to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])
