"""Drawing an image anew from the pixels of another; loaded with the first file that is uploaded."""

from __future__ import annotations

import struct
from io import BytesIO
from zlib import error as ZlibError

from PIL import Image, ImageOps

from portal.llm_clients.image_making import (
    BROKEN,
    IS_SVG,
    LOGO,
    MOST_PIXELS,
    NOT_AN_IMAGE,
    ROOM,
    TOO_MANY_PIXELS,
    ImageRefused,
    MadeImage,
)

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_FAULTS = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, ZlibError)


def drawn(raw: bytes, kind: str) -> MadeImage:
    """The first frame, upright, within the kind's room. Raises ImageRefused."""
    opened = _opened(raw)
    if opened.width * opened.height > MOST_PIXELS:
        raise ImageRefused(TOO_MANY_PIXELS)
    try:
        return _drawn(opened, kind)
    except _BOMBS as error:
        raise ImageRefused(TOO_MANY_PIXELS) from error
    except _FAULTS as error:
        raise ImageRefused(BROKEN) from error


def looked_at(raw: bytes, kind: str) -> MadeImage:
    """What was drawn here before: only its head is read. Raises ImageRefused."""
    opened = _opened(raw)
    return MadeImage(kind, Image.MIME[str(opened.format)], raw, *opened.size)


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
