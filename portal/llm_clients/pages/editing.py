"""Saving the form: a new client, or another revision of one that is there."""

from __future__ import annotations

from portal.accounts.models import User, UserProfile
from portal.llm_clients import images, registration, revisions
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages.forms import LLMClientForm


def fill(llm_client: LLMClient, form: LLMClientForm) -> None:
    """Copy the checked form into the client's columns; the name is not one of them."""
    for column in revisions.CONFIGURATION:
        if column in form:
            setattr(llm_client, column, form[column].data)
    _fill_uploads(llm_client, form)
    revisions.set_tags(llm_client, form.tags.data or [])
    revisions.set_functions(llm_client, form.functions.data or [])


def _fill_uploads(llm_client: LLMClient, form: LLMClientForm) -> None:
    """A chosen file becomes the upload; the checkbox takes away the one that was there."""
    for column, field, remove in (
        ("app_logo_upload", form.app_logo_file, form.app_logo_remove),
        ("app_background_upload", form.app_background_file, form.app_background_remove),
    ):
        if field.made is not None:
            setattr(llm_client, column, images.keep(llm_client.account_id, field.made))
        elif remove.data or not getattr(llm_client, column):
            setattr(llm_client, column, "")


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
