"""The set-up link: signed, for one domain of one account, until a day, and only the newest one.

It opens no account. Whoever has it sees the records of one domain and may ask for a check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadSignature, URLSafeSerializer

from portal.custom_domains.models import LLMClientCustomDomain

LIFETIME = timedelta(days=14)
SALT = "domain set-up link"


@dataclass(frozen=True)
class Claims:
    """What a token says; it has to agree with the row as it is now."""

    account_id: int
    custom_domain_id: int
    domain_name: str
    generation: int
    expires_at: datetime


def expiry(now: datetime) -> datetime:
    """The beginning of the day in two weeks (UTC), so that the address is the same all day."""
    day = (now + LIFETIME).astimezone(UTC)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def token_of(custom_domain: LLMClientCustomDomain, expires_at: datetime, secret_key: str) -> str:
    """Signed and safe in a path."""
    claims = [
        custom_domain.account_id,
        custom_domain.id,
        custom_domain.domain_name,
        custom_domain.setup_link_generation,
        int(expires_at.timestamp()),
    ]
    return str(URLSafeSerializer(secret_key, SALT).dumps(claims))


def read(token: str, secret_key: str) -> Claims | None:
    """What the token says, expired or not; None where we did not sign it."""
    try:
        account_id, number, name, generation, seconds = URLSafeSerializer(secret_key, SALT).loads(
            token
        )
        return Claims(account_id, number, name, generation, datetime.fromtimestamp(seconds, UTC))
    except (BadSignature, ValueError, TypeError):
        return None


def opens(claims: Claims, custom_domain: LLMClientCustomDomain, now: datetime) -> bool:
    """Whether the link still works for this row: not expired, not revoked, the same domain."""
    return (
        claims.expires_at > now
        and claims.generation == custom_domain.setup_link_generation
        and claims.domain_name == custom_domain.domain_name
        and claims.account_id == custom_domain.account_id
    )
