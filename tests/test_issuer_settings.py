"""Settings of whoever issues certificates: read where they count, refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.issuer_settings import ISSUERS as KNOWN
from portal.issuer_settings import LETS_ENCRYPT
from portal.settings import Settings, SettingsError
from portal.tls import ISSUERS

pytestmark = pytest.mark.engine_independent


def read(**environ: str) -> Settings:
    return Settings.from_environ(environ)


def problem(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(**environ)
    [sentence] = caught.value.problems
    return sentence


def test_the_settings_know_the_issuers_that_there_are() -> None:
    assert set(KNOWN) == set(ISSUERS)


def test_local_unless_said(tmp_path: Path) -> None:
    assert read().issuer == "local"


def test_an_unknown_issuer_is_refused() -> None:
    assert problem(PORTAL_ISSUER="letsencrypt") == (
        "PORTAL_ISSUER is 'letsencrypt'; it must be one of local, acme, edge, cert_manager."
    )


def test_acme_is_lets_encrypt_with_a_wildcard_for_each_account_unless_said() -> None:
    found = read(PORTAL_ISSUER="acme", PORTAL_ACME_CONTACT="mailto:ops@example.com").acme
    assert (found.directory, found.contact) == (LETS_ENCRYPT, "ops@example.com")
    assert (found.challenge, found.wildcards) == ("http-01", True)


@pytest.mark.parametrize(
    "environ", [{"PORTAL_ACME_WILDCARDS": "no"}, {"PORTAL_ZONE_EDITOR": "manual"}]
)
def test_no_wildcards_where_they_are_not_wanted_or_not_possible(environ: dict[str, str]) -> None:
    assert not read(PORTAL_ISSUER="acme", **environ).acme.wildcards


def test_the_key_of_an_external_account_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "eab"
    file.write_text("c2VjcmV0\n")
    found = read(
        PORTAL_ISSUER="acme", PORTAL_ACME_EAB_KEY_ID="kid", PORTAL_ACME_EAB_KEY_FILE=str(file)
    )
    assert found.acme.eab_key == "c2VjcmV0"
    assert "c2VjcmV0" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORTAL_ACME_DIRECTORY", "http://ca.example.com", "https://"),
        ("PORTAL_ACME_CONTACT", "nobody", "e-mail address"),
        ("PORTAL_ACME_CHALLENGE", "tls-alpn-01", "http-01 or dns-01"),
        ("PORTAL_ACME_CA_FILE", "/nowhere/ca.pem", "not a file"),
        ("PORTAL_CERTIFICATE_ROOTS_FILE", "/nowhere/roots.pem", "not a file"),
        ("PORTAL_ACME_EAB_KEY_ID", "kid", "belong together"),
    ],
)
def test_acme_settings_that_cannot_work(name: str, value: str, words: str) -> None:
    assert words in problem(PORTAL_ISSUER="acme", **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORTAL_KUBERNETES_NAMESPACE", "Not A Name", "no name in Kubernetes"),
        ("PORTAL_KUBERNETES_URL", "ftp://x", "https://"),
        ("PORTAL_KUBERNETES_SERVICE_PORT", "web", "no port"),
    ],
)
def test_kubernetes_settings_that_cannot_work(name: str, value: str, words: str) -> None:
    assert words in problem(PORTAL_ISSUER="cert_manager", **{name: value})


def test_settings_of_an_issuer_that_is_not_chosen_are_not_looked_at() -> None:
    assert (
        read(PORTAL_ACME_CHALLENGE="nonsense", PORTAL_KUBERNETES_URL="nonsense").issuer == "local"
    )
