"""Accounts, proofs and looks in any order: one holder of a name, and always a legal state."""

from __future__ import annotations

import random

import pytest

from portal.custom_domains import claims, names
from portal.custom_domains.claims import ClaimRefused
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from tests.custom_domains.stories import NAME, Claims
from tests.sampling import some_short

States = LLMClientCustomDomain.States
NAMES = (NAME, f"shop.{NAME}", f"a.shop.{NAME}", "weingut.de")
STEPS = 200
LEGAL = {
    True: {States.VERIFIED, States.AT_RISK},
    False: {States.PENDING, States.PAUSED, States.REMOVING},
}


class Chance:
    """Does anything that anybody may do, by the seed."""

    def __init__(self, story: Claims, seed: int) -> None:
        self.story = story
        self.random = random.Random(seed)  # noqa: S311 - so that it happens again
        self.accounts = [story.account(f"Account {number}") for number in range(3)]

    def domains(self) -> list[LLMClientCustomDomain]:
        query = db.select(LLMClientCustomDomain).order_by(LLMClientCustomDomain.id)
        return list(db.session.scalars(query).unique())

    def step(self) -> None:
        existing = self.domains()
        deeds = [self.add, self.wait]
        if existing:
            deeds += [self.look] * 5 + [self.publish] * 3 + [self.withdraw, self.remove, self.ask]
        deed = self.random.choice(deeds)
        deed(self.random.choice(existing) if existing else None)
        db.session.commit()

    def add(self, _: object) -> None:
        account, name = self.random.choice(self.accounts), self.random.choice(NAMES)
        try:
            self.story.add(account, name, claims_held=self.random.random() < 0.7)
        except ClaimRefused:
            db.session.rollback()

    def look(self, domain: LLMClientCustomDomain) -> None:
        self.story.look(domain)

    def publish(self, domain: LLMClientCustomDomain) -> None:
        self.story.publish(domain, at=self.random.choice([domain.domain_name, NAME]))

    def withdraw(self, domain: LLMClientCustomDomain) -> None:
        self.story.withdraw(domain)

    def remove(self, domain: LLMClientCustomDomain) -> None:
        if self.random.random() < 0.5:
            claims.remove(domain, self.story.now)  # without hosts and records it goes at once

    def ask(self, domain: LLMClientCustomDomain) -> None:
        claims.ask_for_check(domain, self.story.now)

    def wait(self, _: object) -> None:
        self.story.later(hours=self.random.choice([0.1, 6, 24, 72]))


@pytest.mark.parametrize("seed", some_short(range(6), one_in=6))
def test_every_order_ends_with_one_holder(story: Claims, seed: int) -> None:
    chance = Chance(story, seed)
    for _ in range(STEPS):
        before = {one.id: one.account_id for one in chance.domains() if one.is_verified}
        chance.step()
        held: dict[str, int] = {}
        for domain in chance.domains():
            assert domain.state in LEGAL[domain.is_verified]
            if domain.is_verified:
                assert domain.domain_name not in held
                held[domain.domain_name] = domain.account_id
                if domain.id not in before:
                    assert was_proved(story, domain)


def was_proved(story: Claims, domain: LLMClientCustomDomain) -> bool:
    """Whether the zone holds the account's own token, at the name or at a parent."""
    own = {f"llm-verify={domain.verification_token}"}
    around = (domain.domain_name, *names.parents(domain.domain_name))
    texts = {one: story.resolver.texts.get(f"_llm-verify.{one}", set()) for one in around}
    if any(own & found for found in texts.values()):
        return True
    parents = db.session.scalars(
        db.select(LLMClientCustomDomain.domain_name).where(
            LLMClientCustomDomain.account_id == domain.account_id,
            LLMClientCustomDomain.is_verified,
            LLMClientCustomDomain.domain_name.in_(around[1:]),
        )
    )
    return bool(list(parents))
