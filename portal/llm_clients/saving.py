"""The mission's methods of LLMClient that need the modules above the model."""

from __future__ import annotations

from portal.accounts.models import UserProfile
from portal.database import db
from portal.errors import PortalError
from portal.llm_clients import cloning, hostnames
from portal.llm_clients.models import LLMClient


class InvalidHost(PortalError, ValueError):
    """The name gives no host that RFC 1034 allows."""


def save(self: LLMClient, *, asynchronous: bool = False) -> None:
    """Check the host and add the row to the session; the caller commits. Raises InvalidHost.

    `asynchronous` keeps the status signals of this object from being sent.
    """
    if not hostnames.NAME_PATTERN.match(self.name) or not self.rfc1034_compliant_name:
        raise InvalidHost(f"{self.name!r} gives no valid host name.")
    self.is_quiet = asynchronous
    db.session.add(self)
    db.session.flush()


def clone(
    self: LLMClient,
    new_name: str | None = None,
    new_version: str | None = None,
    user_profile: UserProfile | None = None,
) -> LLMClient:
    """A copy with the same configuration; the caller commits. Raises NameTaken."""
    return cloning.clone(self, new_name, new_version, user_profile)


LLMClient.save = save  # type: ignore[attr-defined]
LLMClient.clone = clone  # type: ignore[attr-defined]
