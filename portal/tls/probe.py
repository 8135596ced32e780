"""A real TLS handshake, and a verdict on what was served: fine, or precisely what is wrong.

The caller says which address is asked: the edge's own, or the one that public DNS gives. Addresses
that strangers choose have to be checked first (`portal.outgoing.is_public_address`).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from portal.tls.roots import trusted_roots
from portal.tls.served import NoCertificate, NotServed, served_chain
from portal.tls.verdict import Verdict, judge, names_of

Reason = Verdict | NoCertificate

SENTENCES: dict[Reason, str] = {
    "": "The certificate is valid for {name}.",
    "closed": "Nothing listens on port {port} of {address}.",
    "timeout": "{address} did not answer on port {port} in time.",
    "unreachable": "{address} cannot be reached on port {port}.",
    "plain_http": "Port {port} of {address} speaks plain HTTP, not HTTPS.",
    "not_tls": "Port {port} of {address} speaks something other than HTTPS.",
    "old_protocol": "{address} only speaks a version of TLS that browsers no longer accept.",
    "no_certificate": "{address} has no certificate for {name} yet.",
    "handshake_failed": "The secure connection to {address} could not be made.",
    "not_yet_valid": "The certificate is not valid before {not_before:%d %B %Y, %H:%M} UTC.",
    "expired": "The certificate expired on {not_after:%d %B %Y, %H:%M} UTC.",
    "wrong_name": "The certificate is for {names}, not for {name}.",
    "self_signed": "The certificate is signed by itself, so nobody trusts it.",
    "missing_intermediate": "The server does not send the certificate of its issuer ({issuer}).",
    "unknown_issuer": "The certificate's issuer ({issuer}) is not trusted.",
    "invalid": "The certificate breaks a rule that browsers insist on.",
}


@dataclass(frozen=True)
class Probe:
    """What was found; the certificate's fields are empty where none was served.

    `reason` is empty when all is well. `detail` is the technical cause, for the account's people.
    """

    ok: bool
    reason: Reason
    message: str
    issuer: str = ""
    serial: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    names: tuple[str, ...] = ()
    detail: str = ""


def probe(
    name: str,
    address: str,
    port: int,
    now: datetime,
    roots_pem: str | None,
    timeout: float = 3.0,
    *,
    expected_chain_pem: str = "",
) -> Probe:
    """Connect to `address`, name `name` (SNI), judge by `now`; roots None: the machine's.

    With `expected_chain_pem`, the chain that should be served, a missing intermediate is certain.
    Takes at most `timeout` seconds and half a second more; raises nothing for what a server does.
    """
    where = {"name": name, "address": address, "port": port}
    try:
        chain = served_chain(name, address, port, timeout)
    except NotServed as trouble:
        message = SENTENCES[trouble.reason].format(**where)
        return Probe(False, trouble.reason, message, detail=trouble.detail)
    known = _certificates(expected_chain_pem)[1:]
    reason, detail = judge(chain, name, now, trusted_roots(roots_pem), known)
    found = _described(chain[0])
    fields = {**where, **vars(found), "names": ", ".join(found.names) or "no name at all"}
    message = SENTENCES[reason].format(**fields)
    return replace(found, ok=not reason, reason=reason, message=message, detail=detail)


def _described(certificate: x509.Certificate) -> Probe:
    return Probe(
        ok=False,
        reason="",
        message="",
        issuer=certificate.issuer.rfc4514_string(),
        serial=format(certificate.serial_number, "x"),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=names_of(certificate),
    )


def _certificates(pem: str) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(pem.encode("ascii"))) if pem else ()
