"""Who may claim a name, who holds it, and how long: one holder of a name, in every order."""

from __future__ import annotations

import pytest

from portal.accounts.models import Account
from portal.custom_domains import claims, holding, looks
from portal.custom_domains.claims import ClaimRefused
from portal.custom_domains.models import CustomDomainTombstone, LLMClientCustomDomain
from portal.custom_domains.results import CheckResult, Checks, Reasons
from portal.database import db
from tests.custom_domains.stories import NAME, Claims
from tests.custom_domains.test_names import SPELLINGS
from tests.sampling import some_short

States = LLMClientCustomDomain.States

PROOFS = ("none", "routing", "text", "both")
# Who holds the name in the end, with the proofs there are then: H(older), C(laimant) or nobody.
# A row for each proof of the holder, a column for each of the claimant, in the order of PROOFS.
MATRIX = {
    "normal": ("H H H H", "H H H H", "H H H H", "H H H H"),
    "holder deleted": ("- - C C", "- - C C", "- - C C", "- - C C"),
    "holder's account closed": ("- - C C", "- - C C", "- - C C", "- - C C"),
    "holder's proof gone 1 d": ("H H H H", "H H H H", "H H H H", "H H H H"),
    "holder's proof gone 8 d": ("- - C C", "- - C C", "H H C C", "H H C C"),
}
CELLS = [
    (scenario, holder, claimant, row.split()[column])
    for scenario, rows in MATRIX.items()
    for holder, row in zip(PROOFS, rows, strict=True)
    for column, claimant in enumerate(PROOFS)
]


def has_text(proof: str) -> bool:
    return proof in ("text", "both")


@pytest.mark.parametrize("holder_first", [True, False], ids=["holder first", "claimant first"])
@pytest.mark.parametrize(
    ("scenario", "holder_proof", "claimant_proof", "expected"), some_short(CELLS, one_in=7)
)
def test_the_matrix(
    story: Claims,
    scenario: str,
    holder_proof: str,
    claimant_proof: str,
    expected: str,
    holder_first: bool,
) -> None:
    holder_account, claimant_account = story.account("Holder"), story.account("Claimant")
    holder = story.add(holder_account)
    story.publish(holder)
    story.look(holder)
    assert story.holders() == [holder_account.id]
    claimant = story.add(claimant_account, claims_held=True)
    pair = [holder, claimant] if holder_first else [claimant, holder]
    days = {"holder's proof gone 1 d": 1, "holder's proof gone 8 d": 8}.get(scenario, 0)
    if has_text(claimant_proof):
        story.publish(claimant)
    for _ in range(days):
        story.withdraw(holder)
        for domain in pair:
            story.look(domain)
            assert len(story.holders()) <= 1
        story.later(days=1)
    if not has_text(holder_proof):
        story.withdraw(holder)
    else:
        story.publish(holder)  # after the days without it
    happen(story, scenario, holder, holder_account)
    for _ in range(2):
        for domain in pair:
            if domain.state != States.REMOVING:
                story.look(domain)
            assert len(story.holders()) <= 1
    who = {"H": [holder_account.id], "C": [claimant_account.id], "-": []}
    assert story.holders() == who[expected]


def happen(story: Claims, scenario: str, holder: LLMClientCustomDomain, account: Account) -> None:
    if scenario == "holder deleted":
        claims.remove(holder, story.now)
    elif scenario == "holder's account closed":
        account.is_active = False
    db.session.commit()


@pytest.mark.parametrize("typed", SPELLINGS)
def test_no_spelling_makes_a_second_name(story: Claims, typed: str) -> None:
    name = "shop.weinhof.de"
    first, second = story.account("First"), story.account("Second")
    domain = story.add(first, name)
    with pytest.raises(ClaimRefused) as refused:
        story.add(first, typed)
    assert refused.value.reason == "already_yours"
    story.publish(domain)
    story.look(domain)
    with pytest.raises(ClaimRefused) as refused:
        story.add(second, typed)
    assert refused.value.reason == "held"
    assert story.holders(name) == [first.id]


def test_an_unproved_claim_blocks_nobody(story: Claims) -> None:
    squatter, owner = story.account("Squatter"), story.account("Owner")
    story.look(story.add(squatter))
    domain = story.add(owner)
    story.publish(domain)
    story.look(domain)
    assert story.holders() == [owner.id]


def test_a_holder_with_a_proof_is_told_of_another_and_stays(story: Claims) -> None:
    holder, claimant = story.account("Holder"), story.account("Claimant")
    mine, theirs = story.add(holder), None
    story.publish(mine)
    story.look(mine)
    theirs = story.add(claimant, claims_held=True)
    story.publish(theirs)
    for _ in range(20):
        story.later(hours=12)
        story.look(theirs)
        story.look(mine)
    assert story.holders() == [holder.id]
    assert story.timeline(mine).count("contested") == 2
    results = [CheckResult.from_json(values) for values in theirs.check_results]
    assert next(one for one in results if one.check == Checks.OWNERSHIP).reason == Reasons.TAKEN


def test_a_subdomain_is_covered_by_the_accounts_own_parent(story: Claims) -> None:
    account = story.account()
    parent, child = story.add(account), story.add(account, f"shop.{NAME}")
    story.look(child)
    assert not child.is_verified
    story.publish(parent)
    story.look(parent)
    assert child.next_attempt_at is not None
    story.look(child)
    assert child.is_verified
    claims.remove(parent, story.now)
    for _ in range(9):
        story.later(days=1)
        story.look(child)
    assert not child.is_verified


def test_below_somebody_elses_domain_the_proof_is_needed_there(story: Claims) -> None:
    holder, other = story.account("Holder"), story.account("Other")
    parent = story.add(holder)
    story.publish(parent)
    story.look(parent)
    with pytest.raises(ClaimRefused) as refused:
        story.add(other, f"a.shop.{NAME}")
    assert NAME in refused.value.public_message
    child = story.add(other, f"a.shop.{NAME}", claims_held=True)
    story.publish(child)
    story.look(child)
    assert not child.is_verified
    story.publish(child, at=NAME)
    story.look(child)
    assert child.is_verified
    assert parent.is_verified
    story.withdraw(child)
    for _ in range(9):
        story.later(days=1)
        story.look(child)
    assert child.is_verified
    story.withdraw(child, at=NAME)
    for _ in range(9):
        story.later(days=1)
        story.look(child)
    assert not child.is_verified


def test_who_holds_a_subdomain_keeps_it_when_somebody_proves_the_parent(story: Claims) -> None:
    first, second = story.account("First"), story.account("Second")
    child = story.add(first, f"shop.{NAME}")
    story.publish(child)
    story.look(child)
    parent = story.add(second)
    story.publish(parent)
    story.look(parent)
    story.look(child)
    assert parent.is_verified
    assert child.is_verified


def test_removing_leaves_a_tombstone_and_needs_a_fresh_token(story: Claims) -> None:
    account = story.account()
    domain = story.add(account)
    story.publish(domain)
    story.look(domain)
    token, number = domain.verification_token, domain.generation
    claims.remove(domain, story.now)
    db.session.commit()
    assert domain.state == States.REMOVING
    assert domain.generation > number
    claims.remove(domain, story.now)
    tombstones = list(db.session.scalars(db.select(CustomDomainTombstone)))
    assert [(one.domain_name, one.account_id) for one in tombstones] == [(NAME, account.id)]
    again = story.add(story.account("Next"))
    assert again.verification_token != token
    story.look(again)
    assert not again.is_verified


def test_two_hundred_domains_are_enough(story: Claims) -> None:
    account = story.account()
    for number in range(claims.MOST_DOMAINS):
        db.session.add(LLMClientCustomDomain(account_id=account.id, domain_name=f"d{number}.de"))
    db.session.commit()
    with pytest.raises(ClaimRefused) as refused:
        story.add(account)
    assert refused.value.reason == "too_many"


def test_check_now_is_rung_every_ten_seconds_at_most(story: Claims) -> None:
    domain = story.add(story.account())
    domain.next_attempt_at = None
    assert claims.ask_for_check(domain, story.now) == 0
    assert domain.next_attempt_at == story.now
    story.later(seconds=4)
    assert claims.ask_for_check(domain, story.now) == 6
    story.later(seconds=6)
    assert claims.ask_for_check(domain, story.now) == 0


def test_an_account_may_not_ask_for_everything_at_once(story: Claims) -> None:
    account = story.account()
    domains = [story.add(account, f"d{number}.de") for number in range(claims.MOST_CHECKS + 1)]
    waits = [claims.ask_for_check(domain, story.now) for domain in domains]
    assert waits[:-1] == [0] * claims.MOST_CHECKS
    assert waits[-1] == 60


def test_the_token_of_a_verified_domain_stays(story: Claims) -> None:
    domain = story.add(story.account())
    before = domain.verification_token
    claims.rotate_token(domain, story.now)
    assert domain.verification_token != before
    story.publish(domain)
    story.look(domain)
    with pytest.raises(ClaimRefused):
        claims.rotate_token(domain, story.now)


def test_taking_twice_changes_nothing(story: Claims) -> None:
    domain = story.add(story.account())
    story.publish(domain)
    story.look(domain)
    timeline, verified_at = story.timeline(domain), domain.verified_at
    story.look(domain)
    assert story.timeline(domain) == timeline
    assert domain.verified_at == verified_at
    assert holding.lock_claims(NAME) == [domain]


def test_whoever_asks_for_a_look_at_a_live_domain_gets_a_whole_round(story: Claims) -> None:
    domain = story.add(story.account())
    story.publish(domain)
    story.look(domain)
    for ask in (claims.ask_for_check, claims.watch, claims.remove):
        domain.step = looks.LIVE
        ask(domain, story.now)
        assert domain.next_attempt_at == story.now
        assert domain.step != looks.LIVE, ask.__name__
