"""Whether a person signs in from a browser and a network that they have used lately.

A browser is known by its name and system without versions, a network by the first 24 bits of an
IPv4 address or the first 48 of an IPv6 address. Both together have to be those of one session of
the last 90 days, so that a common browser elsewhere is told of. A first session is nothing new.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.accounts.models import Account, User, UserProfile, UserSession
from portal.database import db
from portal.formatting import exact_time
from portal.notices.kinds import Kind, Level
from portal.notices.telling import News, tell
from portal.people.devices import device_of

REMEMBERED = timedelta(days=90)
MOST_SESSIONS = 200
_VERSION = re.compile(r" \d+")


def is_new(user: User, address: str, user_agent: str, now: datetime) -> bool:
    """Before the new session is stored: whether none of the last 90 days was like it."""
    query = (
        select(UserSession.address, UserSession.user_agent, UserSession.last_seen_at)
        .where(UserSession.user_id == user.id)
        .order_by(UserSession.id.desc())
        .limit(MOST_SESSIONS)
    )
    found = db.session.execute(query).all()
    this = place_of(address, user_agent)
    lately = {place_of(row[0], row[1]) for row in found if row[2] > now - REMEMBERED}
    return bool(found) and this not in lately


def place_of(address: str, user_agent: str) -> tuple[str, str]:
    """What a browser and its network are recognised by."""
    return network_of(address), _VERSION.sub("", device_of(user_agent))


def network_of(address: str) -> str:
    """`192.0.2.0/24`, `2001:db8:7::/48`; what is no address stays as it is."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    found = mapped or found
    bits = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network(f"{found}/{bits}", strict=False))


def tell_of_sign_in(user: User, address: str, user_agent: str, now: datetime) -> None:
    """To the person alone, in the transaction of the sign-in; not to one without an account."""
    account = _account_of(user)
    if account is None:
        return
    device = device_of(user_agent)
    news = News(
        kind=Kind.NEW_SIGN_IN,
        level=Level.LOOK,
        subject=f"{user.username} signed in from a new browser or network",
        text=(
            f"Somebody signed in as {user.username}.\n\n"
            f"  Browser: {device}\n  Address: {address or 'unknown'}\n"
            f"  When: {exact_time(now, account.timezone)}\n\n"
            "If it was you, there is nothing to do. If not, end the session under You, Sessions, "
            "change your password and tell your admin."
        ),
        path="/account/sessions",
        about=user,
        name=user.username,
        only_for=user.id,
    )
    tell(account.id, news, now)


def _account_of(user: User) -> Account | None:
    """The account whose outbox has the mail: the first that the person belongs to."""
    query = (
        select(Account)
        .join(UserProfile, UserProfile.account_id == Account.id)
        .where(UserProfile.user_id == user.id, UserProfile.removed_at.is_(None))
        .order_by(UserProfile.id)
        .limit(1)
    )
    return db.session.scalar(query)
