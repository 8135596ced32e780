"""Somebody else issues: a TLS edge that gets certificates by itself, for names we permit."""

from datetime import datetime
from typing import Any, Self

from portal.settings import Settings
from portal.tls import AuthorityAccounts, Issuance, Renewal
from portal.tls.roots import roots_in


class EdgeIssuer:
    """Asks nobody: the edge asks us, at the first handshake with a name (`/internal/ask`)."""

    def __init__(self, roots_file: str = "") -> None:
        self._roots_file = roots_file

    @classmethod
    def from_settings(cls, settings: Settings, accounts: AuthorityAccounts) -> Self:
        """The edge has its own settings; here only the roots of a private authority."""
        return cls(settings.certificate_roots_file)

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

    def roots_pem(self) -> str | None:
        """The roots of a private authority; None: those of the machine."""
        return roots_in(self._roots_file)
