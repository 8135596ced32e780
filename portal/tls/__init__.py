"""The port to certificates: who issues them, and (in `probe`) what a visitor is really served."""

import importlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol


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
    into the next `request` unread; it can be stored as JSON. `challenges` have to be answered
    before the next `request`. `elsewhere`: somebody else keeps the certificate and renews it.
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


class Issuer(Protocol):
    """Gets certificates. Each verb may be repeated; all raise AdapterError."""

    def request(self, names: tuple[str, ...], now: datetime, state: dict[str, Any]) -> Issuance:
        """Take one step towards a certificate for all of `names`; never waits for long."""

    def revoke(self, chain_pem: str, now: datetime) -> None:
        """Tell the world not to trust this certificate any more."""

    def roots_pem(self) -> str | None:
        """The roots to verify with; None: those of the machine."""


ISSUERS: dict[str, tuple[str, str]] = {
    "local": ("The embedded certificate authority", "portal.tls.local:LocalIssuer"),
}


def issuer_class(kind: str) -> type[Issuer]:
    """The adapter registered under `kind`; KeyError for an unknown one."""
    module, _, class_name = ISSUERS[kind][1].partition(":")
    adapter: type[Issuer] = getattr(importlib.import_module(module), class_name)
    return adapter
