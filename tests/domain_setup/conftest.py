"""Domains for tests of pages: made in a session of their own, named by their numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.domain_setup import links
from portal.llm_clients.models import LLMClient
from tests.domain_setup import some_domains
from tests.people import Browser, People, Person
from tests.planes import Planes

MakeDomain = Callable[..., int]
Described = Callable[[LLMClientCustomDomain], None]


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


@pytest.fixture
def make_domain(planes: Planes, people: People) -> MakeDomain:
    """Add a domain to an account (Alice's unless said), let `describe` fill it; its number."""

    def make(
        name: str = "lakeside-clinic.example",
        describe: Described | None = None,
        owner: Person | None = None,
        **columns: Any,
    ) -> int:
        account_id = (owner or people.alice).account_id
        with planes.worker.app_context():
            domain = some_domains.a_domain(account_id, name, utc_now(), **columns)
            if describe is not None:
                describe(domain)
            db.session.commit()
            return int(domain.id)

    return make


def client_of(hashed_id: str) -> LLMClient:
    query = db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
    return db.session.scalars(query).one()


@pytest.fixture
def domain_of(planes: Planes) -> Callable[[int], LLMClientCustomDomain | None]:
    """The row as it is now, with its records; None when it is gone."""

    def find(number: int) -> LLMClientCustomDomain | None:
        with planes.worker.app_context():
            found = db.session.get(LLMClientCustomDomain, number)
            if found is not None:
                assert found.dns_records is not None
                assert found.events is not None
            return found

    return find


@pytest.fixture
def link_to(planes: Planes) -> Callable[..., str]:
    """The path of the set-up link of a domain, as its page would give it out."""

    def make(number: int, **changes: Any) -> str:
        now = changes.pop("now", utc_now())
        with planes.worker.app_context():
            domain = db.session.get(LLMClientCustomDomain, number)
            assert domain is not None
            token = links.token_of(domain, links.expiry(now), planes.settings.secret_key)
        return f"/domain-setup/{token}/"

    return make


@contextmanager
def statements(planes: Planes) -> Iterator[list[str]]:
    """Every SELECT that the admin plane asks inside."""
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    with planes.admin.app_context():
        engine = db.engine
    db.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        db.event.remove(engine, "before_cursor_execute", note)
