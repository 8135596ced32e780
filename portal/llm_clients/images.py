"""Keeping the uploaded images of an account, and finding one again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from portal.database import db
from portal.llm_clients.image_making import BACKGROUND, LOGO, MadeImage
from portal.llm_clients.image_models import ClientImage

# The configuration names an upload by its SHA-256, beside the address that it takes precedence of.
UPLOADS = {LOGO: "app_logo_upload", BACKGROUND: "app_background_upload"}
ADDRESSES = {LOGO: "app_logo_url", BACKGROUND: "app_background_image_url"}


def keep(account_id: int, made: MadeImage) -> str:
    """Store an image once for each account; its SHA-256."""
    if find(account_id, made.sha256) is None:
        image = ClientImage(
            account_id=account_id,
            kind=made.kind,
            sha256=made.sha256,
            media_type=made.media_type,
            content=made.content,
            width=made.width,
            height=made.height,
        )
        db.session.add(image)
        db.session.flush()
    return made.sha256


def find(account_id: int, digest: str) -> ClientImage | None:
    """The account's image with this SHA-256, with its octets; None for any other's."""
    return db.session.scalar(
        select(ClientImage)
        .where(ClientImage.account_id == account_id, ClientImage.sha256 == digest)
        .options(undefer(ClientImage.content))
    )


def are_in(content: Mapping[str, Any], digest: str) -> bool:
    """Whether a configuration shows the image with this SHA-256."""
    return digest in (content.get(column) for column in UPLOADS.values())


def carry_over(content: Mapping[str, Any], from_account_id: int, to_account_id: int) -> None:
    """Give another account the images that a configuration names, for a copy of its client."""
    if from_account_id == to_account_id:
        return
    for column in UPLOADS.values():
        image = find(from_account_id, content.get(column) or "")
        if image is not None:
            made = MadeImage(image.kind, image.media_type, image.content, image.width, image.height)
            keep(to_account_id, made)
