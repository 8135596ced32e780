"""An uploaded file becomes an image of our own making: known format, bounded, nothing beside it.

What is stored is drawn anew from the pixels, so that nothing that came with them is ever served:
no metadata, no place where it was taken, no script, no second meaning as HTML.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from hashlib import sha256

from portal.errors import PortalError

LARGEST_FILE = 2_000_000
MOST_PIXELS = 16_000_000
DRAWING = "portal.llm_clients.image_drawing"
LOGO, BACKGROUND = "logo", "background"
ROOM = {LOGO: (512, 512), BACKGROUND: (2560, 1600)}
TOO_LARGE = "The file is larger than 2 MB. Choose a smaller one."
TOO_MANY_PIXELS = "The image has more than 16 megapixels. Choose a smaller one."
IS_SVG = "SVG files can carry scripts, so they are not accepted. Save it as PNG, JPEG or WebP."
NOT_AN_IMAGE = "This is not a PNG, JPEG, WebP or GIF image."
BROKEN = "The image is damaged or incomplete. Save it again and choose the new file."


class ImageRefused(PortalError):
    """The file cannot be used; the sentence says why."""


@dataclass(frozen=True)
class MadeImage:
    """An image that may be served."""

    kind: str
    media_type: str
    content: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()


def made_from(raw: bytes, kind: str) -> MadeImage:
    """The first frame, upright, within the kind's room. Raises ImageRefused."""
    if len(raw) > LARGEST_FILE:
        raise ImageRefused(TOO_LARGE)
    made: MadeImage = importlib.import_module(DRAWING).drawn(raw, kind)
    return made
