"""An image as text in a manifest: base64 in lines, and in words where people read it. Pure."""

from __future__ import annotations

import base64
import binascii

from portal.formatting import octets_in_words
from portal.llm_clients.image_making import LARGEST_DRAWN

LINE = 76
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
LONGEST = LARGEST_DRAWN * 4 // 3 * 11 // 10  # characters, with room for how lines are broken
TOO_LARGE = f"The image is larger than {octets_in_words(LARGEST_DRAWN)}. Make it smaller."
NOT_BASE64 = "This is not base64 (RFC 4648, section 4), or a part of it is missing."


class NotAnImage(ValueError):
    """The text holds no octets of an image; the sentence says why."""


def text_of(content: bytes) -> str:
    """Lines of 76 characters, as MIME has them."""
    text = base64.b64encode(content).decode()
    return "\n".join(text[at : at + LINE] for at in range(0, len(text), LINE))


def octets_of(text: str) -> bytes:
    """What the lines say. Raises NotAnImage."""
    if len(text) > LONGEST:
        raise NotAnImage(TOO_LARGE)
    try:
        found = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAnImage(NOT_BASE64) from error
    if len(found) > LARGEST_DRAWN:
        raise NotAnImage(TOO_LARGE)
    return found


def media_type_of(content: bytes) -> str:
    """By its first octets; "" where they are of none that we know."""
    signatures = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
    signatures |= {b"GIF87a": "image/gif", b"GIF89a": "image/gif"}
    for first, media_type in signatures.items():
        if content.startswith(first):
            return media_type
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""


def in_words(media_type: str, octets: int, digest: str) -> str:
    """What a difference shows in place of the octets."""
    return f"{media_type}, {octets_in_words(octets)}, SHA-256 {digest[:12]}…"
