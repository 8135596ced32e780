"""Accounts that claim names, a zone on paper, and a clock: whole checks without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.models import Account
from portal.custom_domains import claims, holding, verification
from portal.custom_domains.diagnosis import diagnose
from portal.custom_domains.hosts import DomainHost
from portal.custom_domains.models import CustomDomainEvent, LLMClientCustomDomain
from portal.custom_domains.names import Premises
from portal.custom_domains.observing import Outside, observe
from portal.custom_domains.questions import prepare
from portal.custom_domains.records import ownership_name, ownership_value
from portal.database import current_settings, db
from portal.dns import Answer, Delegation
from portal.dns.large_numbers import one_by_one
from tests.custom_domains.laboratory import good_probe

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
NAME = "weinhof.de"
PREMISES = Premises(("platform.example.com", "api.example.com"))


class PaperResolver:
    """Answers from a dictionary; `silent` servers say nothing."""

    def __init__(self) -> None:
        self.texts: dict[str, set[str]] = {}
        self.silent = False

    def delegation(self, name: str, *, deadline: float | None = None) -> Delegation:
        servers = (("ns1.provider.de", "192.0.2.53"),)
        if self.silent:
            return Delegation("could_not_ask", name, servers, "silence", "timeout")
        return Delegation("found", name, servers)

    def authority(
        self, name: str, type: str, *, deadline: float | None = None
    ) -> tuple[Answer, ...]:
        if self.silent:
            return (Answer("could_not_ask", server="192.0.2.53", trouble="timeout"),)
        values = tuple(sorted(self.texts.get(name, ()))) if type == "TXT" else ()
        status = "found" if values else "no_record"
        return (Answer(status, values, 300, "192.0.2.53"),)  # type: ignore[arg-type]

    def public(self, name: str, type: str, *, deadline: float | None = None) -> tuple[Answer, ...]:
        return self.authority(name, type)

    def ask_each(self, lookups: Sequence[tuple[str, str]]) -> list[Answer]:
        return one_by_one(self, lookups)


@dataclass
class Claims:
    """Every check is one whole look: question, round, judgement, storing."""

    threads: ThreadPoolExecutor
    resolver: PaperResolver = field(default_factory=PaperResolver)
    now: datetime = START
    hosts: dict[int, tuple[DomainHost, ...]] = field(default_factory=dict)

    def account(self, name: str = "Weinhof") -> Account:
        account = Account(company_name=name)
        db.session.add(account)
        db.session.commit()
        return account

    def add(
        self, account: Account, name: str = NAME, *, claims_held: bool = False
    ) -> LLMClientCustomDomain:
        domain = claims.add(
            account, name, self.now, None, claims_held=claims_held, premises=PREMISES
        )
        db.session.commit()
        return domain

    def publish(self, domain: LLMClientCustomDomain, at: str = "") -> None:
        """The domain's token in the zone, beside whatever is there."""
        name = ownership_name(at or domain.domain_name)
        self.resolver.texts.setdefault(name, set()).add(self._value(domain))

    def withdraw(self, domain: LLMClientCustomDomain, at: str = "") -> None:
        name = ownership_name(at or domain.domain_name)
        self.resolver.texts.get(name, set()).discard(self._value(domain))

    def look(self, domain: LLMClientCustomDomain) -> None:
        """A check, now."""
        question = prepare(domain, self.now, current_settings()).question
        question = replace(question, hosts=self.hosts.get(domain.id, question.hosts), refused="")
        observed = observe(question, self.outside(), self.now)
        diagnosis = diagnose(question, observed, self.now)
        holding.lock_claims(domain.domain_name)
        verification.store(domain, question, diagnosis, self.now, 0.5)
        db.session.commit()

    def outside(self) -> Outside:
        values: dict[str, Any] = {"edge": ("192.0.2.80", 443), "secret": "s"}
        return Outside(
            self.resolver,
            good_probe,
            http_port=80,
            https_port=443,
            allow_private_addresses=True,
            threads=self.threads,
            **values,
        )

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def holders(self, name: str = NAME) -> list[int]:
        query = select(LLMClientCustomDomain.account_id).where(
            LLMClientCustomDomain.domain_name == name, LLMClientCustomDomain.is_verified
        )
        return list(db.session.scalars(query))

    def timeline(self, domain: LLMClientCustomDomain) -> list[str]:
        query = select(CustomDomainEvent.reason).where(
            CustomDomainEvent.custom_domain_id == domain.id
        )
        return list(db.session.scalars(query.order_by(CustomDomainEvent.id)))

    @staticmethod
    def _value(domain: LLMClientCustomDomain) -> str:
        return ownership_value(domain.verification_token)


@pytest.fixture
def story(database: None) -> Iterator[Claims]:
    """Nobody claims anything yet."""
    with ThreadPoolExecutor(4) as threads:
        yield Claims(threads)
