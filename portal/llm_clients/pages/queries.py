"""What the list of clients asks; every query starts from the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import aliased, joinedload, selectinload

from portal.accounts.models import Account, UserProfile
from portal.database import db
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.finding import is_number
from portal.llm_clients.models import LLMClient, LLMClientAPIKey, LLMClientHost, Tag

PAGE_SIZE = 50


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; all from the URL."""

    q: str = ""
    status: str = ""
    tag: str = ""
    owner: str = ""
    after: str = ""
    before: str = ""

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.status or self.tag or self.owner)


_run = aliased(Deployment)
_newest_state = (
    select(_run.state)
    .where(_run.llm_client_id == LLMClient.id)
    .order_by(_run.id.desc())
    .limit(1)
    .scalar_subquery()
)
_has_active = func.coalesce(_newest_state, "") == Deployment.States.ACTIVE
_has_failed = func.coalesce(_newest_state, "") == Deployment.States.FAILED
_is_open = and_(
    LLMClient.deployed,
    LLMClient.dns_verification_status == LLMClient.DnsVerificationStatusChoices.VERIFIED,
    LLMClient.tls_certificate_issuance_status
    == LLMClient.TlsCertificateIssuanceStatusChoices.ISSUED,
)
# The same order of questions as `status_words.status_of`.
STATUS_FILTERS: dict[str, tuple[str, ColumnElement[bool]]] = {
    "ready": ("Ready", and_(~_has_active, _is_open)),
    "progress": ("In progress", _has_active),
    "failed": ("Failed", and_(~_has_active, ~_is_open, _has_failed)),
    "off": ("Not deployed", and_(~_has_active, ~_is_open, ~_has_failed)),
}


def narrowed(account: Account, filters: Filters, *, without_status: bool = False) -> Select[Any]:
    """The account's clients that fit the filters."""
    query = select(LLMClient).where(LLMClient.account_id == account.id)
    if filters.q:
        pattern = "%" + _escaped(filters.q) + "%"
        on_host = select(LLMClientHost.llm_client_id).where(
            LLMClientHost.account_id == account.id,
            or_(
                LLMClientHost.hostname.ilike(f"{pattern}.{account.account_number}.%", escape="\\"),
                LLMClientHost.hostname.ilike(pattern.removeprefix("%"), escape="\\"),
            ),
        )
        query = query.where(
            or_(
                LLMClient.name.ilike(pattern, escape="\\"),
                LLMClient.description.ilike(pattern, escape="\\"),
                LLMClient.tags.any(Tag.name.ilike(pattern, escape="\\")),
                LLMClient.id.in_(on_host),
            )
        )
    if filters.tag:
        query = query.where(LLMClient.tags.any(Tag.name == filters.tag))
    if is_number(filters.owner):
        query = query.where(LLMClient.user_profile_id == int(filters.owner))
    if filters.status in STATUS_FILTERS and not without_status:
        query = query.where(STATUS_FILTERS[filters.status][1])
    return query


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def page(account: Account, filters: Filters) -> tuple[list[LLMClient], str | None, str | None]:
    """One page by name, and the keys after and before which the next and the previous begin.

    Two owners may use one name, so a key is name and number: `example.17`.
    """
    query = narrowed(account, filters).options(
        joinedload(LLMClient.published_revision),
        selectinload(LLMClient.llmclientapikey_set).joinedload(LLMClientAPIKey.api_key),
    )
    order = tuple_(LLMClient.name, LLMClient.id)
    if filters.before:
        query = query.where(order < _key(filters.before))
        query = query.order_by(LLMClient.name.desc(), LLMClient.id.desc())
    else:
        query = query.where(order > _key(filters.after))
        query = query.order_by(LLMClient.name, LLMClient.id)
    found = list(db.session.scalars(query.limit(PAGE_SIZE + 1)).unique())
    more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    if filters.before:
        found.reverse()
    has_later, has_earlier = (True, more) if filters.before else (more, bool(filters.after))
    later = f"{found[-1].name}.{found[-1].id}" if found and has_later else None
    earlier = f"{found[0].name}.{found[0].id}" if found and has_earlier else None
    return found, later, earlier


def _key(text: str) -> Any:
    """Name and number out of a URL."""
    name, _, number = text.partition(".")
    return tuple_(name, int(number) if is_number(number) else 0)


def status_counts(account: Account, filters: Filters) -> dict[str, int]:
    """How many of the clients that fit the other filters have each status; `all` is their sum."""
    base = narrowed(account, filters, without_status=True).subquery()
    columns = [func.count().label("all")]
    for key, (_, condition) in STATUS_FILTERS.items():
        columns.append(func.count().filter(condition).label(key))
    query = select(*columns).select_from(LLMClient).join(base, base.c.id == LLMClient.id)
    return dict(db.session.execute(query).mappings().one())


def last_runs(client_ids: list[int]) -> dict[int, Deployment]:
    """The newest run of each of these clients, in one query."""
    newest = (
        select(func.max(Deployment.id))
        .where(Deployment.llm_client_id.in_(client_ids))
        .group_by(Deployment.llm_client_id)
    )
    runs = db.session.scalars(select(Deployment).where(Deployment.id.in_(newest)))
    return {run.llm_client_id: run for run in runs}


def recent_runs(account: Account, most: int) -> list[Deployment]:
    """The account's newest runs, newest first."""
    query = (
        select(Deployment)
        .join(LLMClient, LLMClient.id == Deployment.llm_client_id)
        .where(LLMClient.account_id == account.id)
        .order_by(Deployment.id.desc())
        .limit(most)
        .options(joinedload(Deployment.llm_client), joinedload(Deployment.started_by))
    )
    return list(db.session.scalars(query))


def tags_of(account: Account) -> list[str]:
    query = select(Tag.name).where(Tag.account_id == account.id).order_by(Tag.name).limit(200)
    return list(db.session.scalars(query))


def owners_of(account: Account) -> list[tuple[int, str]]:
    query = select(UserProfile).where(UserProfile.account_id == account.id).limit(200)
    return [(profile.id, profile.user.username) for profile in db.session.scalars(query)]
