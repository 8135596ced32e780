"""An uploaded file becomes an image of our own making: known format, bounded, nothing beside it.

What is stored is drawn anew from the pixels, so that nothing that came with them is ever served:
no metadata, no place where it was taken, no script, no second meaning as HTML.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from zlib import error as ZlibError

from PIL import Image, ImageOps

from portal.errors import PortalError

LARGEST_FILE = 2_000_000
MOST_PIXELS = 16_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
LOGO, BACKGROUND = "logo", "background"
ROOM = {LOGO: (512, 512), BACKGROUND: (2560, 1600)}
TOO_LARGE = "The file is larger than 2 MB. Choose a smaller one."
TOO_MANY_PIXELS = "The image has more than 16 megapixels. Choose a smaller one."
IS_SVG = "SVG files can carry scripts, so they are not accepted. Save it as PNG, JPEG or WebP."
NOT_AN_IMAGE = "This is not a PNG, JPEG, WebP or GIF image."
BROKEN = "The image is damaged or incomplete. Save it again and choose the new file."
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_FAULTS = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, ZlibError)


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
    opened = _opened(raw)
    if opened.width * opened.height > MOST_PIXELS:
        raise ImageRefused(TOO_MANY_PIXELS)
    try:
        return _drawn(opened, kind)
    except _BOMBS as error:
        raise ImageRefused(TOO_MANY_PIXELS) from error
    except _FAULTS as error:
        raise ImageRefused(BROKEN) from error


def _opened(raw: bytes) -> Image.Image:
    """Its head alone is read; what it is called does not matter."""
    try:
        return Image.open(BytesIO(raw), formats=FORMATS)
    except _BOMBS as error:
        raise ImageRefused(TOO_MANY_PIXELS) from error
    except _FAULTS as error:
        raise ImageRefused(IS_SVG if b"<svg" in raw[:4096].lower() else NOT_AN_IMAGE) from error


def _drawn(opened: Image.Image, kind: str) -> MadeImage:
    opened.load()
    upright = ImageOps.exif_transpose(opened)
    is_clear = "A" in upright.getbands() or "transparency" in upright.info
    plain = upright.convert("RGBA" if is_clear else "RGB")
    plain.thumbnail(ROOM[kind], Image.Resampling.LANCZOS)
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    written = BytesIO()
    if kind == LOGO:
        bare.save(written, "PNG", optimize=True)
        return MadeImage(kind, "image/png", written.getvalue(), *bare.size)
    bare.save(written, "WEBP", quality=80, method=4)
    return MadeImage(kind, "image/webp", written.getvalue(), *bare.size)
