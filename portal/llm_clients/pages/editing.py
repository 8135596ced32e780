"""Saving the form: a new client, or another revision of one that is there."""

from __future__ import annotations

from portal.accounts.models import User, UserProfile
from portal.llm_clients import registration, revisions
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages.forms import LLMClientForm


def fill(llm_client: LLMClient, form: LLMClientForm) -> None:
    """Copy the checked form into the client's columns; the name is not one of them."""
    for column in revisions.CONFIGURATION:
        setattr(llm_client, column, form[column].data)
    revisions.set_tags(llm_client, form.tags.data or [])
    revisions.set_functions(llm_client, form.functions.data or [])


def create(form: LLMClientForm, owner: UserProfile, author: User) -> LLMClient:
    """A new client with its first revision. Raises NameTaken."""
    llm_client = LLMClient(
        account=owner.account, account_id=owner.account_id, user_profile=owner, name=form.name.data
    )
    fill(llm_client, form)
    registration.register(llm_client, author, form.note.data or "")
    return llm_client


def update(llm_client: LLMClient, form: LLMClientForm, author: User) -> bool:
    """Store the form; whether the host changed. Raises NameTaken."""
    new_name = form.name.data or ""
    moved = new_name != llm_client.name and registration.rename(llm_client, new_name)
    fill(llm_client, form)
    revisions.take(llm_client, author, form.note.data or "")
    return moved
