"""The list of revisions, each with what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.database import db
from portal.llm_clients import revisions
from portal.llm_clients.models import LLMClient, LLMClientRevision

PAGE_SIZE = 30


@dataclass(frozen=True)
class RevisionRow:
    """One line of the list."""

    number: int
    author: str
    note: str
    created_at: datetime
    is_published: bool
    is_newest: bool
    changed: list[str]


def revision_rows(
    llm_client: LLMClient, before: int | None
) -> tuple[list[RevisionRow], int | None]:
    """One page, newest first, and the number before which the next page begins."""
    query = (
        select(LLMClientRevision)
        .where(LLMClientRevision.llm_client_id == llm_client.id)
        .options(joinedload(LLMClientRevision.author))
        .order_by(LLMClientRevision.number.desc())
        .limit(PAGE_SIZE + 1)
    )
    if before is not None:
        query = query.where(LLMClientRevision.number < before)
    found = list(db.session.scalars(query))
    contents = [revision.content for revision in found[1:]] + [{}]
    rows = [
        row_of(llm_client, revision, content)
        for revision, content in zip(found, contents, strict=True)
    ][:PAGE_SIZE]
    older = rows[-1].number if len(found) > PAGE_SIZE else None
    return rows, older


def row_of(
    llm_client: LLMClient, revision: LLMClientRevision, before: dict[str, object] | None = None
) -> RevisionRow:
    """What pages show of a revision; `before` is the configuration that it changed."""
    differences = revisions.differences(before or {}, revision.content)
    return RevisionRow(
        number=revision.number,
        author=revision.author.username if revision.author else "the portal",
        note=revision.note,
        created_at=revision.created_at,
        is_published=revision.id == llm_client.published_revision_id,
        is_newest=revision.number == llm_client.newest_revision_number,
        changed=[entry.label for entry in differences] if before else [],
    )
