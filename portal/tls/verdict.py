"""What is wrong with a served chain of certificates, in one code. Pure: the clock is given."""

from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

Certificates = tuple[x509.Certificate, ...]
Verdict = Literal[
    "",
    "not_yet_valid",
    "expired",
    "wrong_name",
    "self_signed",
    "missing_intermediate",
    "unknown_issuer",
    "invalid",
]


def judge(
    chain: Certificates,
    name: str,
    now: datetime,
    roots: Certificates,
    known: Certificates = (),
) -> tuple[Verdict, str]:
    """The reason code (empty: fine) and the verifier's words. Pure; `known` are intermediates."""
    leaf = chain[0]
    if now < leaf.not_valid_before_utc:
        return "not_yet_valid", f"valid from {leaf.not_valid_before_utc.isoformat()}"
    if now > leaf.not_valid_after_utc:
        return "expired", f"valid until {leaf.not_valid_after_utc.isoformat()}"
    trouble = _verify(chain, name, now, roots)
    if not trouble:
        return "", ""
    own_name = next(iter(names_of(leaf)), name).replace("*", "any", 1)
    if not matches(name, names_of(leaf)) and not _verify(chain, own_name, now, roots):
        return "wrong_name", trouble
    return _distrust(chain, roots, not _verify((*chain, *known), own_name, now, roots)), trouble


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the certificate's names is `name`; `*.` stands for one label (RFC 6125)."""
    labels = name.lower().split(".")
    return any(
        pattern.lower() == name.lower()
        or (pattern.startswith("*.") and pattern.lower().split(".")[1:] == labels[1:])
        for pattern in patterns
    )


def _distrust(chain: Certificates, roots: Certificates, completed: bool) -> Verdict:
    leaf, top = chain[0], _top(chain)
    if _signed_by(leaf, leaf):
        return "self_signed"
    if completed:
        return "missing_intermediate"
    if any(_signed_by(top, root) for root in roots):
        return "invalid"
    if _signed_by(top, top) or _has_root_name(top, roots):
        return "unknown_issuer"
    return "missing_intermediate" if top == leaf else "unknown_issuer"


def _top(chain: Certificates) -> x509.Certificate:
    """The last certificate that can be reached from the server's own by signatures."""
    top = chain[0]
    for _ in chain:
        top = next((other for other in chain if other != top and _signed_by(top, other)), top)
    return top


def _has_root_name(top: x509.Certificate, roots: Certificates) -> bool:
    """Whether its issuer is called like a root: one of ours (another key), or by its own words.

    A lone certificate does not tell a missing intermediate from a foreign root; intermediates of
    public authorities say where to fetch them and are never called root.
    """
    if any(root.subject == top.issuer for root in roots):
        return True
    called = top.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    named_root = any("root" in str(attribute.value).lower() for attribute in called)
    return named_root and not _tells_its_issuer(top)


def _tells_its_issuer(certificate: x509.Certificate) -> bool:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except x509.ExtensionNotFound:
        return False
    issuers = AuthorityInformationAccessOID.CA_ISSUERS
    return any(entry.access_method == issuers for entry in access.value)


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _verify(
    chain: Certificates,
    name: str,
    now: datetime,
    roots: Certificates,
) -> str:
    try:
        verifier = PolicyBuilder().store(Store(list(roots))).time(now)
        verifier.build_server_verifier(x509.DNSName(name)).verify(chain[0], list(chain[1:]))
    except (VerificationError, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The host names it is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(found.value.get_values_for_type(x509.DNSName))
