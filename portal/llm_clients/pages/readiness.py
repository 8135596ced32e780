"""The checklist beside a client: what is done, what is open, and where to do it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from portal.formatting import PROGRESS, READY, StatusView, plural, status_view
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.providers.models import Provider


@dataclass(frozen=True)
class Readiness:
    """One line of the checklist."""

    title: str
    sentence: str
    status: StatusView
    url: str | None = None
    link_text: str | None = None
    is_for_admins: bool = False


OPEN = status_view("off", "Open")
LOOK = status_view("attention", "Look at this")


def checklist(
    llm_client: LLMClient, run: Deployment | None, provider: Provider | None, sandbox_prompts: int
) -> list[Readiness]:
    """All lines, in the order in which a newcomer does them."""
    return [
        _provider(llm_client, provider),
        _role(llm_client),
        _sandbox(llm_client, sandbox_prompts),
        _published(llm_client),
        _key(llm_client),
        _deployed(llm_client, run),
    ]


def _provider(llm_client: LLMClient, provider: Provider | None) -> Readiness:
    if provider is None:
        sentence = f"The account has no provider named {llm_client.provider}."
        edit = url_for("llm_clients.edit", llm_client_id=llm_client.hashed_id)
        return Readiness("Provider is missing", sentence, LOOK, edit, "Choose another")
    if provider.is_demo:
        sentence = "Answers without a model, to try things out."
        return Readiness(
            "Demo provider",
            sentence,
            READY,
            url_for("providers.new"),
            "Add a real one",
            is_for_admins=True,
        )
    if provider.credential is None:
        sentence = f"{provider.label or provider.name} has no key."
        edit = url_for("providers.edit", provider_id=provider.id)
        return Readiness(
            "Provider has no key", sentence, LOOK, edit, "Add the key", is_for_admins=True
        )
    return Readiness("Provider has a key", f"{provider.name}, {llm_client.default_model}", READY)


def _role(llm_client: LLMClient) -> Readiness:
    words = len(llm_client.default_system_role.split())
    if words:
        return Readiness("System role is set", plural(words, "word", "words"), READY)
    edit = url_for("llm_clients.edit", llm_client_id=llm_client.hashed_id)
    return Readiness("No system role", "Say who the assistant is.", OPEN, edit, "Write it")


def _sandbox(llm_client: LLMClient, prompts: int) -> Readiness:
    sandbox = url_for("workbench.show", llm_client_id=llm_client.hashed_id)
    if prompts:
        return Readiness("Tried in the sandbox", plural(prompts, "prompt", "prompts"), READY)
    return Readiness("Not tried yet", "Ask it something first.", OPEN, sandbox, "Open the sandbox")


def _published(llm_client: LLMClient) -> Readiness:
    published = llm_client.published_revision
    if published is None:
        return Readiness("No revision is published", "Deploying publishes the newest.", OPEN)
    if llm_client.has_unpublished_changes:
        sentence = f"Visitors still get revision {published.number}."
        revisions = url_for("llm_clients.revisions", llm_client_id=llm_client.hashed_id)
        title = f"Revision {llm_client.newest_revision_number} is not published"
        return Readiness(title, sentence, LOOK, revisions, "See the revisions")
    return Readiness(f"Revision {published.number} is published", "No later edits", READY)


def _key(llm_client: LLMClient) -> Readiness:
    if llm_client.is_public:
        sentence = "Anyone with the address can use it."
        keys = url_for("llm_clients.keys", llm_client_id=llm_client.hashed_id)
        return Readiness("No API key: public", sentence, LOOK, keys, "Attach a key")
    return Readiness("An API key is attached", "Callers need it.", READY)


def _deployed(llm_client: LLMClient, run: Deployment | None) -> Readiness:
    if run is not None and run.is_active and run.step in run.plan:
        sentence = f"Step {run.plan.index(run.step) + 1} of {len(run.plan)}"
        return Readiness("Deployed", sentence, PROGRESS)
    if llm_client.is_open:
        return Readiness("Deployed", "Visitors are answered.", READY)
    return Readiness("Not deployed", "Nobody outside can reach it.", OPEN)
