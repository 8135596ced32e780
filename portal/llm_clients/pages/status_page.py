"""Everything that a client's page and its polled fragment show, gathered for the templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from portal.certificates import seen, store
from portal.certificates.page import issuer_words
from portal.database import current_settings
from portal.formatting import number
from portal.llm_clients import registration
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment import words as status_words
from portal.llm_clients.deployment.address_words import AddressLine, address_line
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.llm_clients.pages import domain_page, readiness
from portal.providers import finding as provider_finding
from portal.system import heartbeats
from portal.usage import queries as usage

YOUNG_SECONDS, YOUNG_POLL_MS, OLD_POLL_MS = 300, 3_000, 15_000


@dataclass(frozen=True)
class Primary:
    """The one primary action of the moment."""

    kind: str
    url: str
    label: str


def context(llm_client: LLMClient, now: datetime, viewer_id: int, may_edit: bool) -> dict[str, Any]:
    """The template context, the same for the page and for the fragment."""
    run = deployment.last_run(llm_client)
    status, reason = status_words.status_of(llm_client, run)
    worker = heartbeats.seen_at("worker")
    is_active = run is not None and run.is_active
    stands = domain_page.standing_of(llm_client, now, worker, may_edit=may_edit)
    own_poll = poll_after(run, now) if is_active else None
    return {
        **side(llm_client, run),
        "llm_client": llm_client,
        "status": status,
        "reason": reason,
        "is_public": llm_client.is_public,
        "deployment": status_words.run_view(run, now, worker, viewer_id) if run else None,
        "addresses": addresses(llm_client, now),
        "primary": primary(llm_client, run, may_edit),
        "standing": stands,
        "is_link": False,
        "has_primary": False,
        "has_banner": False,
        "poll_after_ms": domain_page.sooner(own_poll, stands.poll_after_ms if stands else None),
        "poll_url": url_for("llm_clients.status", llm_client_id=llm_client.hashed_id),
        "can_edit": may_edit and not _is_deleting(run),
        "can_deploy": may_edit and not llm_client.deployed and not is_active,
        "can_undeploy": may_edit and llm_client.deployed,
        "can_publish": may_edit and llm_client.deployed and llm_client.has_unpublished_changes,
    }


def side(llm_client: LLMClient, run: Deployment | None) -> dict[str, Any]:
    """The column beside the timeline."""
    provider = provider_finding.by_name(llm_client.account_id, llm_client.provider)
    tried = usage.sandbox_prompts(llm_client.account_id, llm_client.id)
    lines = readiness.checklist(llm_client, run, provider, tried)
    return {
        "readiness": lines,
        "readiness_done": sum(line.status.token == "ready" for line in lines),
        "configuration": configuration(llm_client),
    }


def _is_deleting(run: Deployment | None) -> bool:
    return run is not None and run.is_active and run.kind == Deployment.Kinds.DELETE


def poll_after(run: Deployment | None, now: datetime) -> int:
    """Milliseconds to the next question: fast while the run is young, slower with age."""
    if run is None:
        return OLD_POLL_MS
    age = (now - run.started_at).total_seconds()
    if age < 15:
        return 1_000
    return YOUNG_POLL_MS if age < YOUNG_SECONDS else OLD_POLL_MS


def addresses(llm_client: LLMClient, now: datetime) -> list[AddressLine]:
    """Every host that is the client's now."""
    states = LLMClientHost.States
    hosts = registration.hosts_of(llm_client, states.CURRENT, states.LEAVING)
    shown = seen.of_hosts([host.hostname for host in hosts])
    lines = []
    for host in hosts:
        certificate = shown.get(host.hostname) or store.good_certificate(host.hostname, now)
        lines.append(
            address_line(
                llm_client,
                host,
                current_settings().url_of(host.hostname),
                certificate.not_after if certificate else None,
                issuer_words(certificate.issuer) if certificate else "",
            )
        )
    return lines


def primary(llm_client: LLMClient, run: Deployment | None, may_edit: bool) -> Primary:
    """Draft: deploy; in progress: the sandbox; ready: the chat; failed: again."""
    public_id = llm_client.hashed_id
    sandbox = Primary(
        "link", url_for("workbench.show", llm_client_id=public_id), "Open the sandbox"
    )
    deploy = url_for("llm_clients.deploy", llm_client_id=public_id)
    if not may_edit or (run is not None and run.is_active):
        return Primary("link", llm_client.url, "Open the chat") if llm_client.is_open else sandbox
    if llm_client.is_open and llm_client.has_unpublished_changes:
        publish = url_for("llm_clients.publish", llm_client_id=public_id)
        return Primary("post", publish, f"Publish revision {llm_client.newest_revision_number}")
    if llm_client.is_open:
        return Primary("link", llm_client.url, "Open the chat")
    if run is not None and run.state == Deployment.States.FAILED:
        return _again(run, public_id)
    if llm_client.is_public:
        confirm = url_for("llm_clients.deploy", llm_client_id=public_id)
        return Primary("link", confirm, "Deploy")
    return Primary("post", deploy, "Deploy")


def _again(run: Deployment, public_id: str) -> Primary:
    """What failed is tried again, not its opposite; a deletion asks for the name each time."""
    endpoint = f"llm_clients.{run.kind}"
    kind = "link" if run.kind == Deployment.Kinds.DELETE else "post"
    return Primary(kind, url_for(endpoint, llm_client_id=public_id), "Try again")


def _fallback(llm_client: LLMClient) -> list[tuple[str, str]]:
    if not llm_client.fallback_provider:
        return []
    return [("Fallback", f"{llm_client.fallback_model} of {llm_client.fallback_provider}")]


def configuration(llm_client: LLMClient) -> list[tuple[str, str]]:
    """The configuration in a few lines."""
    return [
        ("Provider", llm_client.provider),
        ("Model", llm_client.default_model),
        *_fallback(llm_client),
        ("Temperature", f"{llm_client.default_temperature:g}"),
        ("Max tokens", number(llm_client.default_max_tokens)),
        ("Functions", ", ".join(llm_client.function_names) or "None"),
        ("Version", llm_client.version),
        ("Tags", ", ".join(tag.name for tag in llm_client.tags) or "None"),
    ]
