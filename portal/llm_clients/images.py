"""Keeping the uploaded images of an account, and finding one again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import undefer

from portal.database import db
from portal.llm_clients.image_making import BACKGROUND, LOGO, MadeImage
from portal.llm_clients.image_models import ClientImage
from portal.llm_clients.models import LLMClient

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
            source_sha256=made.source_sha256,
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


def named(account_id: int, digest: str, kind: str = "") -> list[ClientImage]:
    """The account's images that are these octets or were drawn from them, with their octets."""
    is_named = or_(ClientImage.sha256 == digest, ClientImage.source_sha256 == digest)
    query = select(ClientImage).where(ClientImage.account_id == account_id, is_named)
    if kind:
        query = query.where(ClientImage.kind == kind)
    held = query.options(undefer(ClientImage.content)).order_by(ClientImage.id)
    return list(db.session.scalars(held))


def digests_of(account_id: int) -> dict[tuple[str, str], str]:
    """The SHA-256 of every image of the account, by its kind and each name that it has."""
    columns = ClientImage.kind, ClientImage.sha256, ClientImage.source_sha256
    query = select(*columns).where(ClientImage.account_id == account_id).order_by(ClientImage.id)
    found: dict[tuple[str, str], str] = {}
    rows = db.session.execute(query).all()
    for kind, digest, source in rows:
        if source:
            found[kind, source] = digest
    return found | {(kind, digest): digest for kind, digest, _ in rows}


def shown_by_clients(account_id: int, client_name: str = "") -> Iterator[ClientImage]:
    """Every image that a client’s newest configuration names, two in memory at a time."""
    named_there = [_shown_in(account_id, column, client_name) for column in UPLOADS.values()]
    query = (
        select(ClientImage)
        .where(ClientImage.account_id == account_id)
        .where(or_(*(ClientImage.sha256.in_(one) for one in named_there)))
        .options(undefer(ClientImage.content))
        .order_by(ClientImage.kind, ClientImage.sha256)
    )
    yield from db.session.scalars(query.execution_options(yield_per=2))


def _shown_in(account_id: int, column: str, client_name: str) -> Select[tuple[str]]:
    shown: Any = getattr(LLMClient, column)
    query = select(shown).where(LLMClient.account_id == account_id, shown != "")
    return query.where(LLMClient.name == client_name) if client_name else query


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
            keep(to_account_id, _made(image))


def _made(image: ClientImage) -> MadeImage:
    size, source = (image.width, image.height), image.source_sha256
    return MadeImage(image.kind, image.media_type, image.content, *size, source)
