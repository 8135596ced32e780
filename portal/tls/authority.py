"""Certificates by the book (RFC 5280, CA/Browser baseline): a root, and servers' certificates."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_NAME = "Portal local root"
# Fixed dates: the root is valid for every clock that a test or a traveller may bring
ROOT_VALID = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC))
LEAF_DAYS = 90
CLOCK_SKEW = timedelta(hours=1)
LONGEST_COMMON_NAME = 64  # RFC 5280, ub-common-name


def new_key() -> ec.EllipticCurvePrivateKey:
    """An ECDSA P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_text(key: ec.EllipticCurvePrivateKey) -> str:
    """The key as unencrypted PKCS 8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")


def certificate_text(certificate: x509.Certificate) -> str:
    """The certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def new_root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """A root that may sign servers' certificates, but no other authority."""
    subject = _common_name(ROOT_NAME)
    builder = _certificate(subject, subject, key.public_key(), key.public_key(), ROOT_VALID)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def new_server_certificate(
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePublicKey,
    names: tuple[str, ...],
    now: datetime,
) -> x509.Certificate:
    """A certificate for all `names`, valid for 90 days; ValueError for a name that is none."""
    subject = _common_name(names[0]) if len(names[0]) <= LONGEST_COMMON_NAME else x509.Name([])
    validity = (now - CLOCK_SKEW, now + timedelta(days=LEAF_DAYS))
    builder = _certificate(subject, root.subject, key, root_key.public_key(), validity)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(_key_usage(digital_signature=True), critical=True)
    builder = builder.add_extension(usage, critical=False)
    builder = builder.add_extension(alternatives, critical=not subject.rdns)
    return builder.sign(root_key, hashes.SHA256())


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    validity: tuple[datetime, datetime],
) -> x509.CertificateBuilder:
    own_id = x509.SubjectKeyIdentifier.from_public_key(key)
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(own_id, critical=False)
        .add_extension(issuer_id, critical=False)
    )


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
