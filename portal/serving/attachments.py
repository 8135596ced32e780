"""Text files that a visitor attaches: part of the message, each in a fence under its name. Pure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from portal.errors import PortalError
from portal.llm_providers.messages import storable
from portal.serving.questions import (
    EMPTY,
    LONGEST_MESSAGE,
    Conversation,
    Refusal,
    continued,
)

MOST_FILES = 3
LARGEST_FILE = 100_000
LONGEST_NAME = 80
NOT_TAKEN = "This assistant takes no files. Send the message without them."
TOO_MANY = f"At most {MOST_FILES} files go with one message."
TOO_LONG = (
    f"Message and files are longer than {LONGEST_MESSAGE:,} characters together. Attach less."
)
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class AttachmentRefused(PortalError):
    """A file cannot go with the message; the sentence says why."""


@dataclass(frozen=True)
class SentFile:
    """A file as it came: a name that means nothing, and at most one octet more than is allowed."""

    name: str
    octets: bytes


def conversation_with(
    thread: list[dict[str, str]], message: str, files: Sequence[SentFile], *, are_taken: bool
) -> Conversation:
    """The thread, and the visitor's next message with its files; or the refusal of these."""
    if not files:
        return continued(thread, message)
    try:
        whole = _message_with(message, files, are_taken=are_taken)
    except AttachmentRefused as refused:
        return Conversation(message, refusal=Refusal(refused.public_message, 400))
    names = [clean_name(file.name) for file in files]
    return replace(continued(thread, whole), noted={"typed": message, "files": names})


def _message_with(message: str, files: Sequence[SentFile], *, are_taken: bool) -> str:
    if not are_taken:
        raise AttachmentRefused(NOT_TAKEN)
    if not message.strip():
        raise AttachmentRefused(EMPTY)
    if len(files) > MOST_FILES:
        raise AttachmentRefused(TOO_MANY)
    parts = [message, *(fenced(clean_name(file.name), text_of(file)) for file in files)]
    whole = storable("\n\n".join(parts))
    if len(whole) > LONGEST_MESSAGE:
        raise AttachmentRefused(TOO_LONG)
    return whole


def text_of(file: SentFile) -> str:
    """What a file says: UTF-8, or UTF-16 with its mark. Its content decides, not its name."""
    name, octets = clean_name(file.name), file.octets
    if len(octets) > LARGEST_FILE:
        raise AttachmentRefused(f"{name} is larger than 100 KB.")
    try:
        text = octets.decode("utf-16" if octets.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise AttachmentRefused(f"{name} is not a text file.") from error
    if "\0" in text:
        raise AttachmentRefused(f"{name} is not a text file.")
    if not text.strip():
        raise AttachmentRefused(f"{name} is empty.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def clean_name(name: str) -> str:
    """The last part of a path, printable, without what would end a fence's first line."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(letter for letter in last if letter.isprintable() and letter not in "`<>")
    shortened = storable(" ".join(kept.split()))[-LONGEST_NAME:].strip(" .")
    return shortened or "file"


def fenced(name: str, text: str) -> str:
    """A fenced code block (CommonMark section 4.5) that nothing in the text can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{name}\n{text.rstrip()}\n{fence}"
