"""An uploaded file becomes an image of our own making: known format, bounded, nothing beside it.

What is stored is drawn anew from the pixels, so that nothing that came with them is ever served:
no metadata, no place where it was taken, no script, no second meaning as HTML.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from hashlib import sha256

from portal.errors import PortalError

LARGEST_FILE = 2_000_000
LARGEST_DRAWN = 3_000_000  # noise in 2560 × 1600 is 2.8 MB, nothing is more
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
    """An image that may be served; `source_sha256` is of the file that it was drawn from."""

    kind: str
    media_type: str
    content: bytes
    width: int
    height: int
    source_sha256: str = ""

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()


def made_from(raw: bytes, kind: str) -> MadeImage:
    """The first frame, upright, within the kind's room. Raises ImageRefused."""
    if len(raw) > LARGEST_FILE:
        raise ImageRefused(TOO_LARGE)
    return drawn_from(raw, kind)


def drawn_from(raw: bytes, kind: str) -> MadeImage:
    """The same of octets whose number the caller has looked at. Raises ImageRefused."""
    made: MadeImage = importlib.import_module(DRAWING).drawn(raw, kind)
    return replace(made, source_sha256=sha256(raw).hexdigest())


def kept_as_it_is(raw: bytes, kind: str) -> MadeImage:
    """What this portal has drawn before, which the caller knows. Raises ImageRefused."""
    made: MadeImage = importlib.import_module(DRAWING).looked_at(raw, kind)
    return made
