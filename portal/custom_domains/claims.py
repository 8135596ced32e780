"""Claiming a domain and giving it up, and asking for a look at it."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import func, select

from portal.accounts.models import Account, User
from portal.custom_domains import holding, names, surroundings
from portal.custom_domains.hosts import announce_change
from portal.custom_domains.looks import look_now
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.names import Premises
from portal.custom_domains.notices import note
from portal.database import current_settings, db
from portal.errors import PortalError

States = LLMClientCustomDomain.States
MOST_DOMAINS = 200
CHECK_EVERY = timedelta(seconds=10)
ACCOUNT_WINDOW = timedelta(minutes=1)
MOST_CHECKS = 30  # of one account in ACCOUNT_WINDOW
TOKEN_OCTETS = 16


class ClaimRefused(PortalError):
    """The account cannot add the domain (as it is asked for); `reason` for programs.

    `held`: another account has it; adding it with `claims_held` is possible and needs proof.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def add(
    account: Account,
    text: str,
    now: datetime,
    by: User | None,
    *,
    claims_held: bool = False,
    premises: Premises | None = None,
) -> LLMClientCustomDomain:
    """Claim a domain as it was typed; raises NameRefused or ClaimRefused.

    The row is watched from now on, verified by nobody yet. `premises`: those of the installation.
    """
    premises = premises or surroundings.premises_of(current_settings())
    name = names.checked_name(text, premises)
    _refuse_second(account, name)
    if not claims_held:
        _refuse_held(account, name)
    custom_domain = LLMClientCustomDomain(
        account_id=account.id,
        domain_name=name,
        verification_token=_new_token(),
        challenge_label=secrets.token_hex(6),
        added_by_id=by.id if by is not None else None,
        watched_since=now,
        next_attempt_at=now,
    )
    db.session.add(custom_domain)
    db.session.flush()
    note(custom_domain, f"{names.unicode_form(name)} was added.", now, reason="added")
    return custom_domain


def remove(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Give the domain up: not served from this commit on; the row goes when its hosts are gone."""
    if custom_domain.state == States.REMOVING:
        return
    holding.lock_claims(custom_domain.domain_name)
    if custom_domain.is_verified:
        holding.leave_tombstone(custom_domain, now)
    custom_domain.is_verified = False
    custom_domain.state = States.REMOVING
    custom_domain.generation += 1
    custom_domain.leased_until = None
    look_now(custom_domain, now)
    custom_domain.watched_since = now
    db.session.flush()
    holding.look_again_below(custom_domain, now)
    announce_change(custom_domain, now)


def ask_for_check(custom_domain: LLMClientCustomDomain, now: datetime) -> float:
    """Wish for a look now; the seconds that are still to wait, 0 where it is rung for."""
    asked_at = custom_domain.check_asked_at
    if asked_at is not None and asked_at <= now < asked_at + CHECK_EVERY:
        return (asked_at + CHECK_EVERY - now).total_seconds()
    if custom_domain.state == States.REMOVING:
        return 0
    wait = _account_wait(custom_domain.account_id, now)
    if wait > 0:
        return wait
    custom_domain.check_asked_at = now
    look_now(custom_domain, now)
    if custom_domain.state == States.PAUSED:
        resume(custom_domain, now)
    return 0


def resume(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Watch again what was paused."""
    if custom_domain.state == States.PAUSED:
        custom_domain.state = States.PENDING
        note(custom_domain, "We look at it again.", now, reason="resumed")
    watch(custom_domain, now)


def watch(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Something changed that needs checks at the quick pace: a client came, a choice was made.

    A round that is under way knows nothing of it: what it finds is not stored, the next begins.
    """
    if custom_domain.state in (States.REMOVING, States.PAUSED):
        return
    custom_domain.generation += 1
    custom_domain.leased_until = None
    custom_domain.watched_since = now
    look_now(custom_domain, now)


def rotate_token(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Ask for another proof; raises ClaimRefused while the old one is what the domain hangs on."""
    if custom_domain.is_verified or custom_domain.state == States.REMOVING:
        sentence = "The token of a verified domain stays: changing it would stop the domain."
        raise ClaimRefused("verified", sentence)
    custom_domain.verification_token = _new_token()
    custom_domain.generation += 1
    note(custom_domain, "The token was replaced by a new one.", now, reason="rotated")
    watch(custom_domain, now)


def _refuse_second(account: Account, name: str) -> None:
    own = select(LLMClientCustomDomain).where(LLMClientCustomDomain.account_id == account.id)
    existing = db.session.scalar(own.where(LLMClientCustomDomain.domain_name == name))
    shown = names.unicode_form(name)
    if existing is not None and existing.state == States.REMOVING:
        sentence = f"{shown} is just being removed. Add it again in a minute."
        raise ClaimRefused("being_removed", sentence)
    if existing is not None:
        raise ClaimRefused("already_yours", f"{shown} is one of your domains already.")
    count = db.session.scalar(select(func.count()).select_from(own.subquery()))
    if (count or 0) >= MOST_DOMAINS:
        sentence = f"An account may have {MOST_DOMAINS} domains. Remove one that is not used."
        raise ClaimRefused("too_many", sentence)


def _refuse_held(account: Account, name: str) -> None:
    """Neutral about who holds it; nearer names decide before those further up."""
    around = (name, *reversed(names.parents(name)))
    query = select(LLMClientCustomDomain).where(
        LLMClientCustomDomain.domain_name.in_(around), LLMClientCustomDomain.is_verified
    )
    held = {one.domain_name: one.account_id for one in db.session.scalars(query).unique()}
    holder = next((one for one in around if one in held), None)
    if holder is None or held[holder] == account.id:
        return
    shown = names.unicode_form(holder)
    sentence = (
        f"{shown} is in use by another account. If you own it you can claim it: the TXT record at"
        f" {shown} decides, and the domain moves when the other proof has been gone for seven days."
    )
    raise ClaimRefused("held", sentence)


def _account_wait(account_id: int, now: datetime) -> float:
    """Looking costs others work too: so many at once for an account."""
    query = (
        select(LLMClientCustomDomain.check_asked_at)
        .where(
            LLMClientCustomDomain.account_id == account_id,
            LLMClientCustomDomain.check_asked_at > now - ACCOUNT_WINDOW,
        )
        .order_by(LLMClientCustomDomain.check_asked_at.desc())
        .limit(MOST_CHECKS)
    )
    asked = [moment for moment in db.session.scalars(query) if moment is not None]
    if len(asked) < MOST_CHECKS:
        return 0
    return (asked[-1] + ACCOUNT_WINDOW - now).total_seconds()


def _new_token() -> str:
    return secrets.token_hex(TOKEN_OCTETS)
