"""Where the images of a client's chat page are: an upload, served by us, goes before an address."""

from __future__ import annotations

from portal.llm_clients import images
from portal.serving.served import Served

PATH = "/images/"


def addresses_of(served: Served, base_url: str = "") -> dict[str, str]:
    """The logo and the background under the names that pages know; absolute with a `base_url`."""
    found: dict[str, str] = {}
    for kind, column in images.ADDRESSES.items():
        digest = served.content.get(images.UPLOADS[kind])
        address = served.content.get(column) or ""
        found[column] = f"{base_url}{PATH}{digest}" if digest else address
    return found
