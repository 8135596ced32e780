"""The page of a client's form: what it suggests, and what it shows beside the fields."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for

from portal.llm_clients import images
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages.forms import LLMClientForm
from portal.llm_clients.registration import HostnamePreview


def first_values(providers: list[Any]) -> dict[str, Any]:
    """What a new form suggests."""
    provider = providers[0] if providers else None
    return {
        "version": "1.0.0",
        "provider": provider.name if provider else "",
        "default_model": provider.default_model if provider else "",
        "default_system_role": "You are a helpful assistant.",
        "default_temperature": 0.5,
        "default_max_tokens": 2048,
        "app_welcome_message": "Welcome! How can I help?",
        "app_placeholder": "Ask me anything…",
    }


def answer(
    template: str,
    form: LLMClientForm,
    llm_client: LLMClient | None,
    hostname_preview: HostnamePreview,
) -> Any:
    """The page and its status: 422 for a form with mistakes, as it was typed."""
    form.ask_for_files_again()
    page = render_template(
        template,
        form=form,
        llm_client=llm_client,
        next_revision=(llm_client.newest_revision_number if llm_client else 0) + 1,
        hostname_preview=hostname_preview,
        models=_models_of(form),
        uploads=_uploads_of(llm_client),
    )
    return page, (422 if form.errors else 200)


def _uploads_of(llm_client: LLMClient | None) -> dict[str, str]:
    """Where the uploaded images of the newest revision are shown, "" for none."""
    found = {}
    for column in images.UPLOADS.values():
        digest = getattr(llm_client, column) if llm_client else ""
        url = digest and url_for(
            "llm_clients.image", llm_client_id=llm_client.hashed_id, digest=digest
        )
        found[column] = url
    return found


def _models_of(form: LLMClientForm) -> list[str]:
    provider = form.providers.get(form.provider.data or "")
    return provider.model_names if provider else []
