"""Settings of signing on with another portal (OpenID Connect): who it is, and whom it lets in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ROLES = ("admin", "member", "viewer")
_RULE = re.compile(r"(?P<value>\S+)=(?P<account>\d{4}-\d{4}-\d{4}):(?P<role>[a-z]+)\Z")


@dataclass(frozen=True)
class RoleRule:
    """Whoever has `value` in the role claim is `role` in the account of this number."""

    value: str
    account_number: str
    role: str


@dataclass(frozen=True)
class SignOnSettings:
    """One provider; without an issuer nobody signs on that way."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scopes: str = "openid profile email"
    name: str = "single sign-on"
    role_claim: str = "groups"
    rules: tuple[RoleRule, ...] = ()


def sign_on_settings(
    environ: Mapping[str, str], client_secret: str, is_local: bool, problems: list[str]
) -> SignOnSettings:
    """PORTAL_OIDC_*; what is wrong is added to `problems`."""
    issuer = environ.get("PORTAL_OIDC_ISSUER", "").rstrip("/")
    if not issuer:
        return SignOnSettings()
    found = SignOnSettings(
        issuer=environ["PORTAL_OIDC_ISSUER"],
        client_id=environ.get("PORTAL_OIDC_CLIENT_ID", ""),
        client_secret=client_secret,
        scopes=environ.get("PORTAL_OIDC_SCOPES") or "openid profile email",
        name=environ.get("PORTAL_OIDC_NAME") or "single sign-on",
        role_claim=environ.get("PORTAL_OIDC_ROLE_CLAIM") or "groups",
        rules=_rules(environ.get("PORTAL_OIDC_ROLES", ""), problems),
    )
    if not issuer.startswith("https://") and not (is_local and issuer.startswith("http://")):
        problems.append("PORTAL_OIDC_ISSUER must be an https URL.")
    if not found.client_id:
        problems.append("PORTAL_OIDC_CLIENT_ID is missing; the provider knows us by it.")
    if "openid" not in found.scopes.split():
        problems.append("PORTAL_OIDC_SCOPES must have openid among them.")
    if not found.rules:
        problems.append("PORTAL_OIDC_ROLES is missing; without it nobody would get in.")
    return found


def _rules(text: str, problems: list[str]) -> tuple[RoleRule, ...]:
    """`staff=1234-5678-9012:member`, any number of them with spaces between."""
    found = []
    for word in text.split():
        rule = _RULE.match(word)
        if rule is None or rule["role"] not in ROLES:
            problems.append(
                f"PORTAL_OIDC_ROLES has {word!r}; write value=account-number:role, "
                f"where the role is one of {', '.join(ROLES)}."
            )
            continue
        found.append(RoleRule(rule["value"], rule["account"], rule["role"]))
    return tuple(found)
