"""A client's name becomes a host that is its own: making, renaming, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.accounts.models import User, UserProfile
from portal.database import current_settings, db
from portal.errors import PortalError
from portal.llm_clients import hostnames, revisions
from portal.llm_clients.models import LLMClient, LLMClientHost

# A client with the name of the base domain's own records would shadow them.
LONGEST_HOST = 253
TOMBSTONE_DAYS = 30


class NameTaken(PortalError):
    """The name cannot be used; the sentence says why and names the client that has it."""


@dataclass(frozen=True)
class HostnamePreview:
    """What a name would become; `problem` is a sentence when it cannot be used.

    `entry` is the host's row, None where nobody has or had it.
    """

    host: str
    url: str
    changed: str
    problem: str
    entry: LLMClientHost | None = None


NOTHING_YET = HostnamePreview(host="", url="", changed="", problem="")


def preview(name: str, owner: UserProfile, llm_client: LLMClient | None) -> HostnamePreview:
    """The address that `name` gives, and whether it is free for this client."""
    compliant = hostnames.rfc1034_compliant_name(name, owner.user.username, owner.is_account_admin)
    settings = current_settings()
    host = hostnames.default_host(compliant, owner.account.account_number, settings.base_api_domain)
    problem, entry = problem_with_name(name, compliant, host), None
    if not problem:
        entry = host_entry(host)
        problem = _taken(entry, host, owner, llm_client)
    shown = host if compliant else ""
    return HostnamePreview(
        host=shown,
        url=settings.url_of(shown) if shown else "",
        changed=hostnames.what_changed(name, compliant),
        problem=problem,
        entry=entry,
    )


def problem_with_name(name: str, compliant: str, host: str) -> str:
    """Why the name can be used by nobody; "" if it can."""
    if not name:
        return "Give the client a name."
    if not hostnames.NAME_PATTERN.match(name):
        return "Must start with a letter; then letters, digits, _ and - only."
    if not compliant or compliant.startswith("."):
        return "Nothing of this name is left for an address; use letters or digits."
    if len(host) > LONGEST_HOST:
        return "The address would be longer than 253 characters."
    return ""


def _taken(
    entry: LLMClientHost | None, host: str, owner: UserProfile, llm_client: LLMClient | None
) -> str:
    if entry is not None and entry.account_id != owner.account_id:
        return "This address is not available."
    other = entry.llm_client if entry else None
    if other is not None and (llm_client is None or other.id != llm_client.id):
        return f"The client {other.name} already has the address {host}."
    return ""


def host_entry(host: str) -> LLMClientHost | None:
    """Whose host this is, or was."""
    return db.session.scalar(select(LLMClientHost).where(LLMClientHost.hostname == host))


def register(llm_client: LLMClient, author: User | None, note: str = "") -> None:
    """Add a new client with its host and first revision. Raises NameTaken."""
    claim_host(llm_client)
    llm_client.newest_revision_number = 1
    db.session.add(llm_client)
    db.session.flush()
    revisions.add(llm_client, author, note)


def rename(llm_client: LLMClient, new_name: str) -> bool:
    """Give another name; whether its host changed. Raises NameTaken.

    A host that answers visitors keeps doing so until the new one is ready.
    """
    old_host = llm_client.default_host
    llm_client.name = new_name
    if llm_client.default_host == old_host:
        return False
    for entry in hosts_of(llm_client, LLMClientHost.States.CURRENT, is_custom=False):
        if llm_client.deployed or entry.is_published:
            entry.state = LLMClientHost.States.LEAVING
        else:
            db.session.delete(entry)
    db.session.flush()
    claim_host(llm_client)
    return True


def claim_host(llm_client: LLMClient) -> LLMClientHost:
    """Make the client's default host its own. Raises NameTaken."""
    owner = llm_client.user_profile
    found = preview(llm_client.name, owner, llm_client)
    if found.problem:
        raise NameTaken(found.problem)
    entry = found.entry or LLMClientHost(hostname=found.host)
    entry.account_id = owner.account_id
    entry.llm_client = llm_client
    entry.state = LLMClientHost.States.CURRENT
    entry.kept_until = None
    db.session.add(entry)
    return entry


def hosts_of(
    llm_client: LLMClient, *states: LLMClientHost.States, is_custom: bool | None = None
) -> list[LLMClientHost]:
    """The client's hosts in these states (all if none is given), oldest first.

    `is_custom` None: those on the platform's domain and those on the customer's own.
    """
    return [] if llm_client.id is None else hosts_of_id(llm_client.id, *states, is_custom=is_custom)


def hosts_of_id(
    llm_client_id: int, *states: LLMClientHost.States, is_custom: bool | None = None
) -> list[LLMClientHost]:
    """The same for whoever has only the client's id, and need not read its row."""
    query = select(LLMClientHost).where(LLMClientHost.llm_client_id == llm_client_id)
    if states:
        query = query.where(LLMClientHost.state.in_(states))
    if is_custom is not None:
        domain_id = LLMClientHost.custom_domain_id
        query = query.where(domain_id.is_not(None) if is_custom else domain_id.is_(None))
    return list(db.session.scalars(query.order_by(LLMClientHost.id)))


def bury(host: LLMClientHost, now: datetime) -> None:
    """Keep the host from everybody but its account for a while; it answers nobody any more."""
    host.state = LLMClientHost.States.TOMBSTONE
    host.is_open = False
    host.is_published = False
    host.kept_until = now + timedelta(days=TOMBSTONE_DAYS)
    host.llm_client = None
