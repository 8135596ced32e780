"""The local authority issues real certificates, whoever comes first."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from portal.tls import ISSUERS, Issuance, issuer_class
from portal.tls.local import LocalIssuer

pytestmark = pytest.mark.engine_independent

NOW = datetime(2031, 5, 1, 12, tzinfo=UTC)
NAMES = ("bot.api.example.test", "*.w.example.test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tls"


@pytest.fixture
def issuer(folder: Path) -> LocalIssuer:
    return LocalIssuer(folder)


def verify(issuance: Issuance, roots_pem: str, name: str, at: datetime) -> None:
    roots = x509.load_pem_x509_certificates(roots_pem.encode())
    leaf = x509.load_pem_x509_certificate(issuance.chain_pem.encode())
    builder = PolicyBuilder().store(Store(roots)).time(at)
    builder.build_server_verifier(x509.DNSName(name)).verify(leaf, [])


def test_issues_at_once_for_ninety_days_by_the_given_clock(issuer: LocalIssuer) -> None:
    issued = issuer.request(NAMES, NOW, {"kept": 1})

    assert (issued.status, issued.retry_in_seconds) == ("issued", None)
    assert issued.not_before is not None
    assert issued.not_before < NOW
    assert issued.not_after == NOW + timedelta(days=90)
    assert issued.issuer == "CN=Portal local root"
    assert issued.state == {"kept": 1}
    assert "PRIVATE KEY" in issued.key_pem
    assert issued.key_pem not in repr(issued)


@pytest.mark.parametrize("name", ["bot.api.example.test", "any.w.example.test"])
def test_the_certificate_is_good_for_its_names(issuer: LocalIssuer, name: str) -> None:
    verify(issuer.request(NAMES, NOW, {}), issuer.roots_pem(), name, NOW)


def test_a_name_longer_than_a_common_name_works(issuer: LocalIssuer) -> None:
    name = ".".join(["x" * 50] * 4) + ".test"
    verify(issuer.request((name,), NOW, {}), issuer.roots_pem(), name, NOW)


def test_every_certificate_has_its_own_key_and_serial(issuer: LocalIssuer) -> None:
    one, other = issuer.request(NAMES, NOW, {}), issuer.request(NAMES, NOW, {})
    assert one.serial != other.serial
    assert one.key_pem != other.key_pem


@pytest.mark.parametrize("names", [(), ("bücher.example.test",)])
def test_names_that_are_none_fail_with_a_reason(
    issuer: LocalIssuer, names: tuple[str, ...]
) -> None:
    failed = issuer.request(names, NOW, {})
    assert (failed.status, failed.reason) == ("failed", "malformed")


def test_the_authority_is_kept_and_its_key_is_private(issuer: LocalIssuer, folder: Path) -> None:
    assert issuer.roots_pem() == LocalIssuer(folder).roots_pem()
    assert stat.S_IMODE((folder / "ca.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_processes_that_start_at_once_share_one_authority(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from portal.tls.local import LocalIssuer\n"
        "print(LocalIssuer(Path(sys.argv[1])).roots_pem())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(4)
    ]
    assert len({child.communicate(timeout=20)[0] for child in children}) == 1


def test_threads_that_start_at_once_share_one_authority(folder: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        roots = list(threads.map(lambda _: LocalIssuer(folder).roots_pem(), range(16)))
    assert len(set(roots)) == 1


@pytest.mark.parametrize("lost", ["ca.pem", "ca.key"])
def test_half_an_authority_is_made_anew(issuer: LocalIssuer, folder: Path, lost: str) -> None:
    before = issuer.roots_pem()
    (folder / lost).unlink()

    issued = issuer.request(NAMES, NOW, {})

    assert issuer.roots_pem() != before
    verify(issued, issuer.roots_pem(), NAMES[0], NOW)


def test_a_key_that_does_not_fit_is_made_anew(issuer: LocalIssuer, folder: Path) -> None:
    issuer.roots_pem()
    other = LocalIssuer(folder.parent / "other")
    other.roots_pem()
    (folder / "ca.key").write_bytes((folder.parent / "other" / "ca.key").read_bytes())

    verify(issuer.request(NAMES, NOW, {}), issuer.roots_pem(), NAMES[0], NOW)


def test_a_revoked_certificate_is_on_the_list_once(issuer: LocalIssuer, folder: Path) -> None:
    first, second = issuer.request(NAMES, NOW, {}), issuer.request(NAMES, NOW, {})
    for issued in (first, second, first):
        issuer.revoke(issued.chain_pem, NOW)

    crl = x509.load_pem_x509_crl((folder / "ca.crl").read_bytes())
    root = x509.load_pem_x509_certificate(issuer.roots_pem().encode())
    assert sorted(format(entry.serial_number, "x") for entry in crl) == sorted(
        [first.serial, second.serial]
    )
    assert crl.is_signature_valid(root.public_key())  # type: ignore[arg-type]


def test_the_registry_knows_it() -> None:
    assert issuer_class("local") is LocalIssuer
    assert {kind: issuer_class(kind).__name__ for kind in ISSUERS if kind != "local"}
