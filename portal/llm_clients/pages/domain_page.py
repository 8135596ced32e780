"""How a client's own domain stands, for the client's page."""

from __future__ import annotations

from datetime import datetime

from flask import url_for

from portal.custom_domains import standing
from portal.custom_domains.standing import Links, Standing
from portal.llm_clients import custom_hosts
from portal.llm_clients.deployment import words as status_words
from portal.llm_clients.models import LLMClient
from portal.web import zone


def standing_of(
    llm_client: LLMClient, now: datetime, worker_seen_at: datetime | None, *, may_edit: bool
) -> Standing | None:
    """The checks of the client's domain with buttons that lead back here; None without one."""
    present = llm_client.custom_domain
    if present is None:
        return None
    own_url = url_for("llm_clients.show", llm_client_id=llm_client.hashed_id)
    links = Links(refresh_url=own_url)
    if may_edit and present.state != present.States.REMOVING:
        links = Links(
            check_url=url_for("custom_domains.check", custom_domain_id=present.id),
            resume_url=url_for("custom_domains.resume", custom_domain_id=present.id),
            back_url=own_url,
            refresh_url=own_url,
        )
    worker = status_words.worker_words(worker_seen_at, now)
    hosts = custom_hosts.wanted_hosts(llm_client, present)
    return standing.standing_of(present, now, zone(), worker, links, hosts)


def sooner(*waits: int | None) -> int | None:
    """The shorter of what there is to wait."""
    return min((wait for wait in waits if wait is not None), default=None)
