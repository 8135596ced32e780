"""What an ID token says, once everything that OpenID Connect Core 3.1.3.7 asks for was checked."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portal.errors import AdapterError

ALGORITHMS = ["RS256", "ES256"]  # no `none`, and nothing that a public key could be a secret of
SKEW_SECONDS = 60
LONGEST_SUBJECT = 255


@dataclass(frozen=True)
class Identity:
    """Who somebody is for the provider; `email` only where it vouches for it."""

    subject: str
    username: str = ""
    email: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def values_of(self, claim: str) -> frozenset[str]:
        """The texts of a claim, whether it is one or a list."""
        found = self.claims.get(claim)
        several = found if isinstance(found, list) else [found]
        return frozenset(value for value in several if isinstance(value, str))


def checked(
    id_token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, now: datetime
) -> Identity:
    """The identity that a token proves; raises AdapterError (`token`) for any that does not."""
    try:
        claims = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise refused(f"the signature: {type(error).__name__}") from error
    _check(claims, issuer, client_id, nonce, now)
    email = claims.get("email") if claims.get("email_verified") is True else ""
    return Identity(
        subject=claims["sub"],
        username=_text(claims.get("preferred_username")) or _text(claims.get("email")),
        email=_text(email).strip().lower(),
        claims=claims,
    )


def _check(
    claims: Mapping[str, Any], issuer: str, client_id: str, nonce: str, now: datetime
) -> None:
    if claims.get("iss") != issuer:
        raise refused("another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise refused("another audience")
    if claims.get("azp", client_id) != client_id or (len(audiences) > 1 and "azp" not in claims):
        raise refused("another authorized party")
    seconds = now.timestamp()
    if _number(claims.get("exp")) <= seconds - SKEW_SECONDS:
        raise refused("expired")
    if not 0 < _number(claims.get("iat")) <= seconds + SKEW_SECONDS:
        raise refused("issued in the future")
    if not hmac.compare_digest(_text(claims.get("nonce")), nonce):
        raise refused("another nonce")
    subject = claims.get("sub")
    if not 0 < len(_text(subject)) <= LONGEST_SUBJECT:
        raise refused("no subject")


def refused(detail: str) -> AdapterError:
    """One sentence for the person; the detail is for the log."""
    return AdapterError(
        "What the sign-on says of you does not hold.",
        reason="token",
        permanent=True,
        detail=detail,
    )


def _number(value: Any) -> float:
    """A NumericDate (RFC 7519 section 2), or 0 for what is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else 0.0


def _text(value: Any) -> str:
    """A text that a database keeps: no control characters, no half of a surrogate pair."""
    return value if isinstance(value, str) and value.isprintable() else ""
