"""The port to certificates: who issues them, and (in `probe`) what a visitor is really served."""

import importlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, Self

from portal.errors import AdapterError
from portal.settings import Settings


@dataclass(frozen=True)
class Challenge:
    """What the authority wants to see of a name before it issues (RFC 8555 section 8).

    `http-01`: `content` under /.well-known/acme-challenge/`token` on `host`. `dns-01`: a TXT record
    `content` at _acme-challenge.`host`.
    """

    kind: Literal["http-01", "dns-01"]
    host: str
    token: str
    content: str


@dataclass(frozen=True)
class Issuance:
    """How far a certificate is. PEM texts and dates are filled in once the status is `issued`.

    `chain_pem` is what a server sends: its own certificate first, the root left out. `state` goes
    into the next `request` unread; it can be stored as JSON, and holds a private key. `challenges`
    have to be answered before the next `request`, and may go once this is `issued`, `failed` or
    `refused`. `elsewhere`: somebody else keeps the certificate and renews it. `refused`: the
    authority turned this attempt down; waiting and trying anew may help. `has_ordered`: the
    authority counts a new order. `detail`: the authority's own words.
    """

    status: Literal["issued", "waiting", "failed", "elsewhere"]
    message: str
    reason: str = ""
    retry_in_seconds: int | None = None
    chain_pem: str = ""
    key_pem: str = field(default="", repr=False)
    issuer: str = ""
    serial: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    state: dict[str, Any] = field(default_factory=dict, repr=False)
    challenges: tuple[Challenge, ...] = ()
    refused: bool = False
    has_ordered: bool = False
    detail: str = ""


class NotOrdered(AdapterError):
    """The authority could not even be asked for an order, so it counts none."""

    @classmethod
    def because_of(cls, error: AdapterError) -> Self:
        """The same trouble, known to have come before the order."""
        return cls(
            error.public_message,
            reason=error.reason,
            permanent=error.permanent,
            detail=error.detail,
        )


@dataclass(frozen=True)
class Renewal:
    """When a certificate should be replaced. `at` None: by the rule of thirds.

    `ask_again_at`: the authority may have another answer from then on; None: it will not.
    """

    at: datetime | None = None
    ask_again_at: datetime | None = None


@dataclass(frozen=True)
class AuthorityAccount:
    """Who we are for a certificate authority; `uri` is empty until it knows us."""

    key_pem: str = field(repr=False)
    uri: str = ""


class AuthorityAccounts(Protocol):
    """Keeps one account for each directory of an authority, sealed; handed to the issuer."""

    def account(self, directory: str) -> AuthorityAccount:
        """The account; its key is made at the first call, whoever comes first."""

    def keep_uri(self, directory: str, uri: str) -> None:
        """Remember what the authority calls us."""

    def forget(self, directory: str, uri: str) -> None:
        """The authority does not know this account any more: the next one has a new key."""


class Issuer(Protocol):
    """Gets certificates. Each verb may be repeated; all raise AdapterError."""

    @classmethod
    def from_settings(cls, settings: Settings, accounts: AuthorityAccounts) -> Self:
        """The issuer of this portal."""

    def request(self, names: tuple[str, ...], now: datetime, state: dict[str, Any]) -> Issuance:
        """Take one step towards a certificate for all of `names`; never waits for long.

        Without `state` it may make an order, else it makes none. Raises NotOrdered where it is
        certain that no order was made.
        """

    def revoke(self, chain_pem: str, now: datetime) -> None:
        """Tell the world not to trust this certificate any more."""

    def release(self, names: tuple[str, ...], now: datetime) -> None:
        """Nobody needs a certificate for `names` any more; what somebody else keeps of it goes."""

    def renewal(self, chain_pem: str, now: datetime) -> Renewal:
        """When the authority wants this certificate renewed."""

    def roots_pem(self) -> str | None:
        """The roots to verify with; None: those of the machine."""


ISSUERS: dict[str, tuple[str, str]] = {
    "local": ("The embedded certificate authority", "portal.tls.local:LocalIssuer"),
    "acme": ("A certificate authority by ACME (RFC 8555)", "portal.tls.acme:AcmeIssuer"),
    "edge": ("The TLS edge issues by itself, on demand", "portal.tls.on_demand:EdgeIssuer"),
    "cert_manager": ("cert-manager in Kubernetes", "portal.tls.cert_manager:CertManagerIssuer"),
}


def issuer_class(kind: str) -> type[Issuer]:
    """The adapter registered under `kind`; KeyError for an unknown one."""
    module, _, class_name = ISSUERS[kind][1].partition(":")
    adapter: type[Issuer] = getattr(importlib.import_module(module), class_name)
    return adapter
