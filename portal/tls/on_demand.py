"""Somebody else issues: a TLS edge that gets certificates by itself, for names we permit."""

from datetime import datetime
from typing import Any, Self

from portal.settings import Settings
from portal.tls import AuthorityAccounts, Issuance, Renewal


class EdgeIssuer:
    """Asks nobody: the edge asks us, at the first handshake with a name (`/internal/ask`)."""

    @classmethod
    def from_settings(cls, settings: Settings, accounts: AuthorityAccounts) -> Self:
        """There is nothing to set here; the edge has its own settings."""
        return cls()

    def request(self, names: tuple[str, ...], now: datetime, state: dict[str, Any]) -> Issuance:
        """True at once: the edge may issue from now on."""
        message = f"The edge gets a certificate for {', '.join(names)} at the first visit."
        return Issuance("elsewhere", message)

    def revoke(self, chain_pem: str, now: datetime) -> None:
        """We have none to revoke."""

    def release(self, names: tuple[str, ...], now: datetime) -> None:
        """The edge is told no from now on; a certificate it has cached runs out by itself."""

    def renewal(self, chain_pem: str, now: datetime) -> Renewal:
        """The edge renews by itself."""
        return Renewal()

    def roots_pem(self) -> None:
        """Those of the machine."""
        return
