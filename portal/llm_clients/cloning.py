"""A second client like the first: configuration and allowed origins; no hosts, keys, history."""

from __future__ import annotations

from sqlalchemy import select

from portal.accounts.models import User, UserProfile
from portal.database import db
from portal.llm_clients import images, registration, revisions
from portal.llm_clients.models import LLMClient


def clone(
    llm_client: LLMClient,
    new_name: str | None = None,
    new_version: str | None = None,
    user_profile: UserProfile | None = None,
    author: User | None = None,
) -> LLMClient:
    """A copy named `new_name`, else `…-copy`, `…-copy-2` and so on. Raises NameTaken."""
    owner = user_profile or llm_client.user_profile
    copy = LLMClient(
        account=owner.account,
        account_id=owner.account_id,
        user_profile=owner,
        name=new_name or free_copy_name(llm_client.name, owner),
        allowed_origins=list(llm_client.allowed_origins),
    )
    content = revisions.content_of(llm_client)
    images.carry_over(content, llm_client.account_id, owner.account_id)
    revisions.apply(copy, content)
    copy.version = new_version or copy.version
    registration.register(copy, author, note=f"Cloned from {llm_client.name}")
    return copy


def free_copy_name(name: str, owner: UserProfile) -> str:
    """The first of `name-copy`, `name-copy-2`, … that the owner has not used."""
    used = set(
        db.session.scalars(
            select(LLMClient.name).where(
                LLMClient.user_profile_id == owner.id, LLMClient.name.startswith(name)
            )
        )
    )
    candidate, number = f"{name}-copy", 2
    while candidate in used:
        candidate, number = f"{name}-copy-{number}", number + 1
    return candidate
