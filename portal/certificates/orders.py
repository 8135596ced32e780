"""One order for each name, however many want it: take it in hand, store what a step came to.

The row lives as long as the certificate: between orders it says when to look at it again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.certificates import challenges, ledger, preflight, store
from portal.certificates.authority_limits import FAILURE, ISSUED, ORDER
from portal.certificates.models import CertificateOrder
from portal.certificates.naming import is_below
from portal.certificates.signals import certificate_issued, certificate_troubled
from portal.database import current_settings, db
from portal.tls import Issuance
from portal.vault import current_sealer

HELD = timedelta(seconds=120)
# Minutes until the next try after one, two, three refusals in a row, and after more
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=100), timedelta(days=1))
FIRST_LOOK = timedelta(hours=1)
NOBODY, PLATFORM, CUSTOMER = "nobody", "platform", "customer"


@dataclass(frozen=True)
class Blocked:
    """Why no step may be made now, who could change that, and when to come back."""

    sentence: str
    reason: str
    who_acts: str
    seconds: float


@dataclass(frozen=True)
class Wish:
    """A certificate that is wanted: `state` of its order so far, or why to leave it alone."""

    name: str
    state: dict[str, Any] = field(default_factory=dict, repr=False)
    blocked: Blocked | None = None


def take(account_id: int, name: str, host: str, holder: str, now: datetime) -> Wish:
    """Take the order for `name` in hand for one step, for `host`; kept until HELD is over."""
    order = _locked(account_id, name)
    is_held = order.leased_until is not None and order.leased_until > now
    if is_held and order.holder != holder:
        sentence = f"The certificate for {name} is being requested already."
        return Wish(name, blocked=Blocked(sentence, "ordered_already", NOBODY, 1))
    state = state_of(order)
    blocked = _blocked(order, host, now, has_order=bool(state))
    if blocked is None:
        order.holder, order.leased_until = holder, now + HELD
        order.account_id = account_id
        will_ask(order, now, is_new=not state)
    return Wish(name, state, blocked)


def _locked(account_id: int, name: str) -> CertificateOrder:
    query = select(CertificateOrder).where(CertificateOrder.name == name).with_for_update()
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is not None:
        return found
    try:
        with db.session.begin_nested():
            db.session.add(_new(account_id, name))
    except IntegrityError:  # another was quicker
        pass
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def _new(account_id: int | None, name: str) -> CertificateOrder:
    return CertificateOrder(
        account_id=account_id, name=name, generation=0, attempt=0, failures=0, broken_off=0
    )


def will_ask(order: CertificateOrder, now: datetime, *, is_new: bool) -> None:
    """To be committed before the authority is asked: a new order is in the ledger by then."""
    order.asked_line = None
    if is_new and current_settings().issuer == "acme":
        order.asked_line = ledger.note_before_asking(order.account_id, order.name, now)


def not_ordered(name: str, holder: str) -> None:
    """Whoever has the order in hand did not get so far as to ask for it."""
    order = db.session.scalar(select(CertificateOrder).where(CertificateOrder.name == name))
    if order is not None and order.holder == holder:
        cross_off(order)


def cross_off(order: CertificateOrder) -> None:
    """No order was made of the one that was noted."""
    if order.asked_line is not None:
        ledger.cross_off(order.asked_line)
        order.asked_line = None


def _count(order: CertificateOrder, issuance: Issuance, now: datetime) -> None:
    """Let the answer complete the line; who lost the order meanwhile may bring a certificate."""
    if issuance.has_ordered and order.asked_line is not None:
        ledger.confirm(order.asked_line, now)
        order.asked_line = None
    elif issuance.has_ordered:
        ledger.note(ORDER, order.account_id, order.name, now)
    elif issuance.status != "issued":
        cross_off(order)


def _blocked(
    order: CertificateOrder, host: str, now: datetime, *, has_order: bool
) -> Blocked | None:
    """A refusal's pause, a custom domain that is not right yet, or a limit of the authority."""
    if order.reason and order.next_attempt_at is not None and order.next_attempt_at > now:
        wait = (order.next_attempt_at - now).total_seconds()
        who = who_acts(order.reason, host, current_settings().base_api_domain)
        return Blocked(order.message, order.reason, who, wait)
    objection = preflight.objection(host, now)
    if objection:
        return Blocked(objection, "preflight", CUSTOMER, 10)
    return None if has_order else limit_reached(order, now)


def limit_reached(
    order: CertificateOrder, now: datetime, *, is_renewal: bool = False
) -> Blocked | None:
    """The authority's limit that a new order would break."""
    if current_settings().issuer != "acme":
        return None
    full = ledger.reached(order.account_id, order.name, now, is_renewal=is_renewal)
    if full is None or full.frees_at is None:
        return None
    when = f"{full.frees_at:%d %B %Y, %H:%M} UTC"
    sentence = f"{full.label}: {full.used} of {full.most}. The next order is possible at {when}."
    return Blocked(sentence, "ca_rate_limit", NOBODY, (full.frees_at - now).total_seconds())


def of_names(names: Collection[str]) -> dict[str, CertificateOrder]:
    """The order of each name that has or had one."""
    query = select(CertificateOrder).where(CertificateOrder.name.in_(names))
    return {order.name: order for order in db.session.scalars(query)}


def state_of(order: CertificateOrder) -> dict[str, Any]:
    """How far the order has come; empty if none is open."""
    if not order.sealed_state:
        return {}
    text = current_sealer().open(order.sealed_state, belongs_to=_belongs_to(order.name))
    found: dict[str, Any] = json.loads(text)
    return found


def record(order: CertificateOrder, issuance: Issuance, now: datetime) -> None:
    """Store what a step came to, and when to look again."""
    _count(order, issuance, now)
    order.attempt += 1
    order.broken_off = 0
    order.leased_until = None
    order.message = issuance.message[:1000]
    order.reason = issuance.reason
    order.detail = issuance.detail
    if issuance.status == "issued":
        _issued(order, issuance, now)
    elif issuance.refused or issuance.status == "failed":
        _refused(order, issuance, now)
    elif issuance.status == "elsewhere":
        _idle(order)
    else:
        _goes_on(order, issuance, now)


def record_for(account_id: int, name: str, holder: str, issuance: Issuance, now: datetime) -> None:
    """The same for who took the order in hand; who lost it meanwhile stores a certificate only."""
    order = _locked(account_id, name)
    if order.holder == holder or issuance.status == "issued":
        record(order, issuance, now)
        if order.holder:
            order.leased_until = now + HELD


def _issued(order: CertificateOrder, issuance: Issuance, now: datetime) -> None:
    store.keep(order.account_id, order.name, issuance)
    if current_settings().issuer == "acme":
        ledger.note(ISSUED, order.account_id, order.name, now)
    certificate_issued.send(CertificateOrder, hosts=store.hosts_of(order.name), now=now)
    _idle(order)
    order.failures = order.attempt = 0
    order.renew_at = None
    order.next_attempt_at = now + FIRST_LOOK * random.uniform(0.5, 1.5)  # noqa: S311 - jitter


def _refused(order: CertificateOrder, issuance: Issuance, now: datetime) -> None:
    ledger.note(FAILURE, order.account_id, order.name, now)
    _idle(order)
    pause = BACK_OFF[min(order.failures, len(BACK_OFF) - 1)]
    order.failures += 1
    asked_for = timedelta(seconds=issuance.retry_in_seconds or 0)
    order.next_attempt_at = now + max(pause, asked_for)
    certificate_troubled.send(CertificateOrder, order=order, now=now)


def is_refused(order: CertificateOrder) -> bool:
    """Whether the authority ended it; one that waits for a record or a limit is not refused."""
    return order.failures > 0 and not order.sealed_state and order.reason != "ca_rate_limit"


def let_go(holder: str) -> None:
    """Whoever had orders in hand is done with them: another may go on at once."""
    query = select(CertificateOrder).where(CertificateOrder.holder == holder)
    for order in db.session.scalars(query):
        order.holder, order.leased_until = "", None


def give_up(name: str) -> None:
    """Nobody wants a certificate for this name any more; how often it was refused stays known."""
    query = select(CertificateOrder).where(CertificateOrder.name == name)
    order = db.session.scalar(query)
    if order is not None:
        pause = order.next_attempt_at if order.failures else None
        _idle(order)
        order.next_attempt_at, order.renew_at, order.leased_until = pause, None, None


def _idle(order: CertificateOrder) -> None:
    order.holder = order.sealed_state = ""
    order.next_attempt_at = None
    challenges.hide(order.name)


def _goes_on(order: CertificateOrder, issuance: Issuance, now: datetime) -> None:
    text = json.dumps(issuance.state)
    order.sealed_state = (
        current_sealer().seal(text, belongs_to=_belongs_to(order.name)) if issuance.state else ""
    )
    challenges.show(order.name, issuance.challenges)
    seconds = 1 if issuance.retry_in_seconds is None else issuance.retry_in_seconds
    order.next_attempt_at = now + timedelta(seconds=seconds)
    if not issuance.state:
        order.holder = ""


def trouble(order: CertificateOrder, message: str, reason: str, detail: str, now: datetime) -> None:
    """The authority could not be asked: what is known stays, and the next look is later."""
    order.attempt += 1
    order.broken_off = 0
    order.leased_until = None
    order.message, order.reason, order.detail = message[:1000], reason, detail
    minutes = min(60, 2 ** min(order.attempt - 1, 6))
    order.next_attempt_at = now + timedelta(minutes=minutes)
    certificate_troubled.send(CertificateOrder, order=order, now=now)


CUSTOMERS = frozenset(
    {
        "caa_forbids",
        "port_80_closed",
        "challenge_wrong",
        "challenge_redirected",
        "challenge_record_wrong",
        "dns_trouble",
        "dnssec_bogus",
        "awaiting_owner",
    }
)


def who_acts(reason: str, host: str, platform_zone: str) -> str:
    """Who can do something about a reason: on the platform's own names, never the customer."""
    if reason in CUSTOMERS:
        return PLATFORM if is_below(host, platform_zone) else CUSTOMER
    return PLATFORM if reason in ("ca_account", "ca_untrusted", "no_challenge") else NOBODY


def _belongs_to(name: str) -> str:
    return f"certificate-order/{name}"
