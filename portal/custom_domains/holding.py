"""Who holds a name: taking it with a proof, counting a lost proof, and letting go. Never two.

Many accounts may claim a name. One holds it: a partial unique index says so, and whoever changes
that locks all claims of the name first, in one order.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from portal.accounts.models import Account
from portal.custom_domains.hosts import DomainHost, announce_change
from portal.custom_domains.looks import look_now
from portal.custom_domains.models import (
    CustomDomainEvent,
    CustomDomainTombstone,
    LLMClientCustomDomain,
)
from portal.custom_domains.notices import Notices, announce_notice
from portal.custom_domains.results import CheckResult, Checks, Reasons
from portal.database import db

States = LLMClientCustomDomain.States
DAY = timedelta(days=1)
WARNING = timedelta(days=7)
FAILURES = 7  # days on which the proof was gone
MAIL_AFTER = 2  # failures in a row
MAIL_DAYS = (2, 4, 7)  # of failure_count: the days 1, 3 and 6 after the first
TOMBSTONE = timedelta(days=30)
FRESH = timedelta(days=1)  # how long a rival's last proof counts
STALE = timedelta(hours=1)
MOVES = "Another account has published its own proof for {name}. The domain stays here for as long"
MOVES += " as the TXT record of this account is there."


def lock_claims(domain_name: str) -> list[LLMClientCustomDomain]:
    """All claims of a name, locked until the transaction ends. Before any other lock."""
    query = (
        select(LLMClientCustomDomain)
        .where(LLMClientCustomDomain.domain_name == domain_name)
        .order_by(LLMClientCustomDomain.id)
        .with_for_update(of=LLMClientCustomDomain)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(query).unique())


def take(custom_domain: LLMClientCustomDomain, now: datetime) -> bool:
    """Become the holder by a proof that was just seen; False while another account stays it."""
    for other in lock_claims(custom_domain.domain_name):
        if other.id == custom_domain.id or not other.is_verified:
            continue
        if not may_be_taken(other, now):
            _contest(other, now)
            return False
        lose(other, now, "Another account proved that it owns the domain.")
    try:
        with db.session.begin_nested():
            custom_domain.is_verified = True
            db.session.flush()
    except IntegrityError:
        return False
    custom_domain.state = States.VERIFIED
    custom_domain.verified_at = now
    custom_domain.watched_since = now
    _forget_failures(custom_domain)
    message = f"{custom_domain.domain_name} is verified: its TXT record shows our token."
    announce_notice(custom_domain, Notices.VERIFIED, message, now)
    announce_change(custom_domain, now)
    return True


def may_be_taken(holder: LLMClientCustomDomain, now: datetime) -> bool:
    """Whether a proof of somebody else outweighs the holder: his is gone, or his account is."""
    return is_closed(holder) or has_failed_for_long(holder, now)


def is_closed(custom_domain: LLMClientCustomDomain) -> bool:
    """Whether its account is closed: that one holds nothing."""
    account = db.session.get(Account, custom_domain.account_id)
    return account is None or not account.is_active


def has_failed_for_long(holder: LLMClientCustomDomain, now: datetime) -> bool:
    """Seven definite failures, spread over seven days, with no success between them."""
    since = holder.failing_since
    return since is not None and now - since >= WARNING and holder.failure_count >= FAILURES


def confirm(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """The holder's proof was seen again."""
    if custom_domain.attempt >= MAIL_AFTER and not told_lately(
        custom_domain, Notices.RECOVERED, now
    ):
        message = f"The TXT record of {custom_domain.domain_name} is there again."
        announce_notice(custom_domain, Notices.RECOVERED, message, now)
    custom_domain.state = States.VERIFIED
    _forget_failures(custom_domain)


def count_failure(
    custom_domain: LLMClientCustomDomain,
    hosts: tuple[DomainHost, ...],
    now: datetime,
) -> None:
    """The holder's proof is gone by the words of the domain's own servers.

    `attempt` counts such answers in a row, `failure_count` the days on which they came.
    """
    first = custom_domain.failing_since or now
    custom_domain.failing_since = first
    custom_domain.attempt += 1
    is_new_day = (now - first) // DAY >= custom_domain.failure_count
    custom_domain.failure_count += is_new_day
    if has_failed_for_long(custom_domain, now):
        _end_or_endanger(custom_domain, hosts, now)
    elif custom_domain.attempt == MAIL_AFTER or (
        is_new_day and custom_domain.failure_count in MAIL_DAYS
    ):
        _warn(custom_domain, now)


def lose(custom_domain: LLMClientCustomDomain, now: datetime, why: str) -> None:
    """Stop being the holder; the claim stays and may prove itself again."""
    leave_tombstone(custom_domain, now)
    custom_domain.is_verified = False
    custom_domain.state = States.PENDING
    custom_domain.verified_at = None
    custom_domain.watched_since = now
    look_now(custom_domain, now + timedelta(seconds=10))
    custom_domain.generation += 1
    _forget_failures(custom_domain)
    db.session.flush()
    message = f"{custom_domain.domain_name} is not served here any more. {why}"
    announce_notice(custom_domain, Notices.LOST, message, now)
    announce_change(custom_domain, now)
    look_again_below(custom_domain, now)


def leave_tombstone(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Remember for 30 days who held the name last; what is older is forgotten on the way."""
    over = CustomDomainTombstone.kept_until < now
    db.session.execute(delete(CustomDomainTombstone).where(over))
    db.session.add(
        CustomDomainTombstone(
            domain_name=custom_domain.domain_name,
            account_id=custom_domain.account_id,
            kept_until=now + TOMBSTONE,
        )
    )


def look_again_below(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """What a parent covered has to prove itself now; so has who waits for the name."""
    name = LLMClientCustomDomain.domain_name
    query = select(LLMClientCustomDomain).where(
        LLMClientCustomDomain.id != custom_domain.id,
        LLMClientCustomDomain.state != States.REMOVING,
        (name == custom_domain.domain_name)
        | name.endswith(f".{custom_domain.domain_name}", autoescape=True),
    )
    for other in db.session.scalars(query).unique():
        if other.next_attempt_at is not None and other.leased_until is None:
            look_now(other, min(other.next_attempt_at, now))


def rival_stands(custom_domain: LLMClientCustomDomain, now: datetime) -> bool:
    """Whether another account's own token was seen at the name within the last day."""
    query = select(LLMClientCustomDomain).where(
        LLMClientCustomDomain.domain_name == custom_domain.domain_name,
        LLMClientCustomDomain.id != custom_domain.id,
        LLMClientCustomDomain.checked_at >= now - FRESH,
        LLMClientCustomDomain.state.in_((States.PENDING, States.PAUSED)),
    )
    return any(_is_proved(other) for other in db.session.scalars(query).unique())


def is_in_use(hosts: tuple[DomainHost, ...], now: datetime) -> bool:
    """Whether visitors still come to a host whose certificate is valid."""
    return any(
        host.is_open
        and bool(host.chain_pem)
        and (host.last_request_at is None or now - host.last_request_at < WARNING)
        for host in hosts
    )


def _is_proved(claim: LLMClientCustomDomain) -> bool:
    """By its last check: the token is there, only the name is another account's."""
    results = [CheckResult.from_json(values) for values in claim.check_results]
    return any(one.check == Checks.OWNERSHIP and one.reason == Reasons.TAKEN for one in results)


def _end_or_endanger(
    custom_domain: LLMClientCustomDomain, hosts: tuple[DomainHost, ...], now: datetime
) -> None:
    if not is_in_use(hosts, now) or rival_stands(custom_domain, now):
        lose(custom_domain, now, "Its TXT record has been gone for seven days.")
    elif custom_domain.state != States.AT_RISK:
        custom_domain.state = States.AT_RISK
        message = (
            f"{custom_domain.domain_name} is at risk: its TXT record has been gone for seven days."
            " Visitors are served for as long as the certificate is valid and they come."
        )
        announce_notice(custom_domain, Notices.AT_RISK, message, now)


def _warn(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    if told_lately(custom_domain, Notices.FAILING, now):
        return
    first = custom_domain.failing_since or now
    message = (
        f"The TXT record of {custom_domain.domain_name} has been gone since"
        f" {first:%d %B %Y, %H:%M} UTC. Enter it again; from {first + WARNING:%d %B} on the domain"
        " may be lost."
    )
    announce_notice(custom_domain, Notices.FAILING, message, now)


def _contest(holder: LLMClientCustomDomain, now: datetime) -> None:
    """Somebody proved what another account holds: look at the holder's proof now."""
    is_stale = holder.checked_at is None or now - holder.checked_at >= STALE
    if is_stale and holder.leased_until is None:
        look_now(holder, now)
    if not told_lately(holder, Notices.CONTESTED, now, WARNING):
        message = MOVES.format(name=holder.domain_name)
        announce_notice(holder, Notices.CONTESTED, message, now)


def told_lately(
    custom_domain: LLMClientCustomDomain, notice: Notices, now: datetime, within: timedelta = DAY
) -> bool:
    """Whether people were told this of the domain already."""
    query = select(CustomDomainEvent.id).where(
        CustomDomainEvent.custom_domain_id == custom_domain.id,
        CustomDomainEvent.reason == notice,
        CustomDomainEvent.created_at > now - within,
    )
    return db.session.scalar(query.limit(1)) is not None


def _forget_failures(custom_domain: LLMClientCustomDomain) -> None:
    custom_domain.attempt = 0
    custom_domain.failing_since = None
    custom_domain.failure_count = 0
