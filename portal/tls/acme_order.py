"""One order at an ACME authority, as the next short step wants it; what it came to so far.

Everything is read from the authority anew at each step, so a step may be repeated, or lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acme import challenges, messages
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from portal.tls import Challenge
from portal.tls.acme_client import AcmeClient

KINDS: Mapping[str, type[challenges.KeyAuthorizationChallenge]] = {
    "http-01": challenges.HTTP01,
    "dns-01": challenges.DNS01,
}


@dataclass(frozen=True)
class Asked:
    """One authorization: its name, its status, and the challenge of ours in it."""

    url: str
    host: str
    status: str
    kind: str = ""
    challenge_url: str = ""
    challenge_status: str = ""
    challenge: Challenge | None = None
    response: Any = None
    problem: messages.Error | None = None


def new_order(acme: AcmeClient, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Order; its address and those of its authorizations."""
    identifiers = [messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=name) for name in names]
    payload = messages.NewOrder(identifiers=identifiers)
    response = acme.post(acme.v2.directory["newOrder"], payload)
    return str(response.headers["Location"]), list(response.json()["authorizations"])


def order_at(acme: AcmeClient, url: str) -> dict[str, Any]:
    """The order as it is now."""
    found: dict[str, Any] = acme.post(url).json()
    return found


def asked_at(acme: AcmeClient, url: str, preferred: str) -> Asked:
    """An authorization as it is now."""
    body = messages.Authorization.from_json(acme.post(url).json())
    host, status = str(body.identifier.value), body.status.name
    chosen = _chosen(body, preferred)
    if chosen is None:
        return Asked(url, host, status)
    kind, offered = chosen
    failed = next((one.error for one in body.challenges if one.error is not None), None)
    token = offered.chall.encode("token")
    content = offered.chall.validation(acme.key)
    return Asked(
        url,
        host,
        status,
        kind,
        str(offered.uri),
        offered.status.name,
        Challenge(kind, host, token, content),  # type: ignore[arg-type]
        offered.chall.response(acme.key),
        failed,
    )


def tell(acme: AcmeClient, asked: Asked) -> None:
    """Our answer is there to be seen; the authority may look."""
    acme.post(asked.challenge_url, asked.response)


def finalize(acme: AcmeClient, url: str, names: tuple[str, ...], key_pem: str) -> dict[str, Any]:
    """Ask for the certificate of a ready order; the order as it is then."""
    request = messages.CertificateRequest(csr=_signing_request(names, key_pem))
    found: dict[str, Any] = acme.post(url, request).json()
    return found


def chain_at(acme: AcmeClient, url: str) -> str:
    """The chain as PEM, the server's own certificate first."""
    response = acme.post(url)
    return "".join(
        one.public_bytes(serialization.Encoding.PEM).decode("ascii")
        for one in x509.load_pem_x509_certificates(response.content)
    )


def _chosen(
    body: messages.Authorization, preferred: str
) -> tuple[str, messages.ChallengeBody] | None:
    """A wildcard is only offered dns-01 (RFC 8555 section 8.3)."""
    offered = {
        kind: one
        for one in body.challenges
        for kind, type_ in KINDS.items()
        if isinstance(one.chall, type_)
    }
    for kind in (preferred, *KINDS):
        if kind in offered:
            return kind, offered[kind]
    return None


def _signing_request(names: tuple[str, ...], key_pem: str) -> x509.CertificateSigningRequest:
    key = serialization.load_pem_private_key(key_pem.encode("ascii"), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - made by new_key
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.add_extension(alternatives, critical=True).sign(key, hashes.SHA256())
