"""Images for manifests: drawn by the tests, uploaded on a page, written as documents."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import Any

from PIL import Image

from portal.llm_clients.image_making import BACKGROUND, LOGO
from portal.manifests import image_data
from portal.manifests.writing import text_of
from tests.llm_clients.test_images import save
from tests.people import Browser


def photo(format: str = "JPEG", size: tuple[int, int] = (90, 60), red: int = 0) -> bytes:
    """A picture with a slope in it, so that drawing it anew loses something."""
    width, height = size
    points = ((x, y) for y in range(height) for x in range(width))
    colours = (octet for x, y in points for octet in (red, 255 * x // width, (x * y) % 256))
    drawn = Image.frombytes("RGB", size, bytes(colours))
    written = BytesIO()
    drawn.save(written, format)
    return written.getvalue()


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def document(content: bytes, use: str = LOGO, media_type: str = "", **spec: Any) -> str:
    """The Image as somebody would write it by hand."""
    written = {"use": use, "mediaType": media_type or image_data.media_type_of(content)}
    written |= {"data": image_data.text_of(content)} | spec
    head = {"apiVersion": "portal/v1", "kind": "Image"}
    kept = {name: value for name, value in written.items() if value is not None}
    return text_of([{**head, "metadata": {"name": digest_of(content)}, "spec": kept}])


def client(name: str, **spec: str) -> str:
    """A client that shows images."""
    head = {"apiVersion": "portal/v1", "kind": "LLMClient"}
    return text_of([{**head, "metadata": {"name": name}, "spec": spec}])


def upload(browser: Browser, hashed_id: str, logo: bytes, background: bytes) -> None:
    """By the form of the client's page."""
    files = {f"app_{LOGO}_file": logo, f"app_{BACKGROUND}_file": background}
    save(browser, f"/llm-clients/{hashed_id}/edit", **files)
