"""LLMClient as the mission tells it: fields, properties, methods and examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import current_app
from sqlalchemy.exc import IntegrityError

from portal.accounts.models import Account, User, UserProfile
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.llm_clients import signals
from portal.llm_clients.models import LLMClient, LLMClientAPIKey, LLMClientFunctions
from portal.llm_clients.saving import InvalidHost
from portal.llm_clients.system_role import enhanced
from portal.vault.models import AuthToken
from tests.people import MakeClient, People

Stored = Callable[[str], LLMClient]
Dns = LLMClient.DnsVerificationStatusChoices
Tls = LLMClient.TlsCertificateIssuanceStatusChoices

FIELDS = [
    "id",
    "created_at",
    "updated_at",
    "name",
    "description",
    "version",
    "annotations",
    "deployed",
    "provider",
    "default_model",
    "default_system_role",
    "default_temperature",
    "default_max_tokens",
    "app_name",
    "app_assistant",
    "app_welcome_message",
    "app_example_prompts",
    "app_placeholder",
    "app_info_url",
    "app_background_image_url",
    "app_logo_url",
    "app_file_attachment",
    "dns_verification_status",
    "tls_certificate_issuance_status",
    "user_profile",
    "subdomain",
    "custom_domain",
    "tags",
    "llmclientapikey_set",
    "llmclientfunctions_set",
    "llmclientplugin_set",
    "llmclientrequests_set",
    "prompt_set",
    "user_profile_id",
    "subdomain_id",
    "custom_domain_id",
]
MEMBERS = [
    "base_api_domain",
    "base_default_host",
    "clone",
    "custom_host",
    "custom_url",
    "default_host",
    "default_system_role_enhanced",
    "default_url",
    "get_cached_object",
    "get_cached_objects",
    "get_dns_verification_status_display",
    "get_tls_certificate_issuance_status_display",
    "hostname",
    "is_authentication_required",
    "manifest_url",
    "mode",
    "ready",
    "rfc1034_compliant_name",
    "sandbox_host",
    "sandbox_url",
    "save",
    "url",
    "url_chat_config",
    "url_chatapp",
    "url_llm_client",
    "Modes",
    "Schemes",
]


@pytest.fixture
def in_alpha(database: None) -> Iterator[None]:
    """The environment of the mission's first examples."""
    before = current_app.extensions["portal_settings"]
    current_app.extensions["portal_settings"] = replace(
        before,
        environment="alpha",
        scheme="https",
        is_local=False,
        root_domain="example.com",
        platform_domain="alpha.platform.example.com",
        api_domain="alpha.api.example.com",
        base_api_domain="alpha.api.example.com",
    )
    yield
    current_app.extensions["portal_settings"] = before


@pytest.fixture
def example(make_client: MakeClient, stored: Stored) -> LLMClient:
    """The client of the examples: `example` of the account 1234-5678-9012."""
    llm_client = stored(make_client("example"))
    llm_client.account.account_number = "1234-5678-9012"
    db.session.commit()
    return llm_client


@pytest.mark.parametrize("name", FIELDS + MEMBERS)
def test_every_name_of_the_mission_is_there(name: str, example: LLMClient) -> None:
    assert hasattr(example, name)


def test_choices_are_the_words_of_the_mission() -> None:
    assert [choice.value for choice in Dns] == ["Verifying", "Not Verified", "Verified", "Failed"]
    assert [c.value for c in Tls] == ["No Certificate", "Requested", "Issued", "Failed"]
    assert [str(m) for m in LLMClient.Modes] == ["custom", "default", "sandbox", "unknown"]
    assert (LLMClient.Schemes.HTTP, LLMClient.Schemes.HTTPS) == ("http", "https")
    assert {c.value for c in LLMClientFunctions.Choices} == {
        "get_current_weather",
        "date_calculator",
        "calculator",
    }


def test_hosts_and_urls_of_the_first_examples(in_alpha: None, example: LLMClient) -> None:
    assert example.base_api_domain == "alpha.api.example.com"
    assert example.base_default_host == ".1234-5678-9012.alpha.api.example.com"
    assert example.default_host == "example.1234-5678-9012.alpha.api.example.com"
    assert example.default_url == "https://example.1234-5678-9012.alpha.api.example.com"
    assert example.sandbox_host == "alpha.platform.example.com"
    workbench = f"https://alpha.platform.example.com/workbench/llm-clients/{example.hashed_id}/"
    assert example.sandbox_url == workbench
    assert example.manifest_url == f"{workbench}manifest/"


def test_hosts_and_urls_of_the_local_examples(example: LLMClient) -> None:
    settings = current_app.extensions["portal_settings"]
    current_app.extensions["portal_settings"] = replace(
        settings,
        root_domain="example.com",
        base_api_domain="api.local.example.com",
        platform_domain="localhost:9357",
        port=9357,
    )
    try:
        assert example.base_api_domain == "api.local.example.com"
        assert example.base_default_host == ".1234-5678-9012.api.local.example.com"
        assert example.default_host == "example.1234-5678-9012.api.local.example.com"
        base = f"http://localhost:9357/api/v1/llm-clients/{example.id}"
        assert example.url_llm_client == f"{base}/prompt/"
        assert example.url_chat_config == f"{base}/config/"
        assert example.default_url == f"http://{example.default_host}:9357"
    finally:
        current_app.extensions["portal_settings"] = settings


def test_the_custom_host_exists_only_while_the_domain_is_verified(
    in_alpha: None, example: LLMClient
) -> None:
    domain = LLMClientCustomDomain(account_id=example.account_id, domain_name="example.com")
    example.custom_domain = domain
    db.session.flush()
    assert example.custom_host is None
    assert example.custom_url is None
    domain.is_verified = True
    assert example.custom_host == "example.example.com"
    assert example.custom_url == "https://example.example.com"
    assert example.mode("https://example.example.com/x") == "custom"


def test_deleting_a_domain_never_deletes_a_client(example: LLMClient) -> None:
    domain = LLMClientCustomDomain(account_id=example.account_id, domain_name="example.com")
    example.custom_domain = domain
    db.session.commit()
    db.session.delete(domain)
    db.session.commit()
    db.session.refresh(example)
    assert example.custom_domain is None


def test_two_accounts_may_claim_a_domain_and_one_may_hold_it(
    people: People, example: LLMClient
) -> None:
    for account_id in (people.alice.account_id, people.charlie.account_id):
        db.session.add(LLMClientCustomDomain(account_id=account_id, domain_name="x.example"))
    db.session.commit()
    for claim in db.session.scalars(db.select(LLMClientCustomDomain)):
        claim.is_verified = True
    with pytest.raises(IntegrityError):
        db.session.flush()


@pytest.mark.parametrize(
    ("deployed", "dns", "tls", "expected"),
    [
        (False, Dns.NOT_VERIFIED, Tls.NO_CERTIFICATE, True),
        (True, Dns.VERIFIED, Tls.ISSUED, True),
        (True, Dns.VERIFYING, Tls.ISSUED, False),
        (True, Dns.VERIFIED, Tls.REQUESTED, False),
        (True, Dns.FAILED, Tls.FAILED, False),
    ],
)
def test_ready_in_the_sandbox_or_when_deployed_verified_and_issued(
    deployed: bool, dns: Dns, tls: Tls, expected: bool, example: LLMClient
) -> None:
    example.deployed = deployed
    example.dns_verification_status = dns
    example.tls_certificate_issuance_status = tls
    assert example.ready is expected


def test_hostname_and_url_follow_the_deployment(in_alpha: None, example: LLMClient) -> None:
    assert example.hostname == "alpha.platform.example.com"
    assert example.mode(example.url) == "sandbox"
    example.deployed = True
    assert example.hostname == example.default_host
    assert example.url == example.default_url
    assert example.mode(example.url) == "default"


def test_the_system_role_begins_with_the_time_and_only_once() -> None:
    noon = datetime(2024, 6, 1, 12, 0, 0, tzinfo=UTC)
    role = enhanced("You are a helpful assistant.", noon, "UTC")
    assert role == "2024-06-01 12:00:00 System: You are a helpful assistant."
    assert enhanced(role, noon + timedelta(hours=1), "UTC") == role
    assert enhanced("x", noon, "Europe/Berlin") == "2024-06-01 14:00:00 System: x"


def test_a_key_that_is_active_makes_authentication_required(example: LLMClient) -> None:
    assert not example.is_authentication_required
    key = AuthToken(account_id=example.account_id, prefix="p", secret_hash="h" * 64, name="site")
    db.session.add(LLMClientAPIKey(llm_client=example, api_key=key))
    db.session.flush()
    assert example.is_authentication_required
    key.expires_at = utc_now() - timedelta(seconds=1)
    assert not example.is_authentication_required
    key.expires_at, key.is_active = None, False
    assert not example.is_authentication_required


def test_labels_are_the_words(example: LLMClient) -> None:
    assert example.get_dns_verification_status_display() == "Not Verified"
    assert example.get_tls_certificate_issuance_status_display() == "No Certificate"


def test_clone_copies_the_configuration_and_nothing_that_lives(example: LLMClient) -> None:
    example.app_name, example.deployed = "Title", True
    example.dns_verification_status = Dns.VERIFIED
    db.session.commit()
    copy = example.clone()
    second = example.clone()
    db.session.commit()
    assert (copy.name, second.name) == ("example-copy", "example-copy-2")
    assert copy.app_name == "Title"
    assert copy.default_system_role == example.default_system_role
    assert not copy.deployed
    assert copy.dns_verification_status == Dns.NOT_VERIFIED
    assert copy.custom_domain_id is None
    named = example.clone(new_name="other", new_version="2.0.0")
    assert (named.name, named.version) == ("other", "2.0.0")


def test_save_refuses_a_name_that_gives_no_host(example: LLMClient) -> None:
    example.name = "___"
    with pytest.raises(InvalidHost):
        example.save()
    db.session.rollback()


def test_cached_getters_find_one_or_none(people: People, example: LLMClient) -> None:
    profile = db.session.get_one(UserProfile, people.alice.profile_id)
    by_key = LLMClient.get_cached_object(pk=example.id)
    by_name = LLMClient.get_cached_object(name="example", user_profile=profile)
    by_user = LLMClient.get_cached_object(
        name="example",
        user=db.session.get_one(User, people.alice.user_id),
        account=db.session.get_one(Account, people.alice.account_id),
    )
    assert by_key is by_name is by_user
    assert LLMClient.get_cached_object(name="absent", user_profile=profile) is None
    assert LLMClient.get_cached_object() is None
    assert [c.name for c in LLMClient.get_cached_objects(profile)] == ["example"]
    assert LLMClient.get_cached_objects(None) == []


def test_cached_getters_see_every_committed_change(
    people: People, example: LLMClient, planes: object
) -> None:
    assert LLMClient.get_cached_object(pk=example.id) is not None
    example.app_name = "Changed"
    db.session.commit()
    db.session.expunge_all()
    found = LLMClient.get_cached_object(pk=example.id)
    assert found is not None
    assert found.app_name == "Changed"


class Heard:
    """Which signals were sent, and whether the change was committed by then."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> Callable[..., None]:
        def hear(sender: object, llm_client: LLMClient) -> None:
            self.names.append(name)

        return hear


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Listens to all signals of clients."""
    found = Heard()
    listeners = []
    for name in [n for n in vars(signals) if n.startswith("llm_client_")]:
        listener = found(name)
        getattr(signals, name).connect(listener)
        listeners.append((getattr(signals, name), listener))
    yield found
    for signal, listener in listeners:
        signal.disconnect(listener)


def test_signals_are_sent_once_and_only_after_the_commit(heard: Heard, example: LLMClient) -> None:
    example.dns_verification_status = Dns.VERIFYING
    db.session.flush()
    assert heard.names == []
    db.session.commit()
    db.session.commit()
    assert heard.names == [
        "llm_client_dns_verification_status_changed",
        "llm_client_dns_verification_initiated",
    ]


def test_a_rollback_sends_nothing(heard: Heard, example: LLMClient) -> None:
    example.tls_certificate_issuance_status = Tls.ISSUED
    db.session.flush()
    db.session.rollback()
    db.session.commit()
    assert heard.names == []


def test_an_asynchronous_save_sends_nothing(heard: Heard, example: LLMClient) -> None:
    example.deployed = True
    example.save(asynchronous=True)
    db.session.commit()
    assert heard.names == []


@pytest.mark.parametrize(
    "values", [{"default_temperature": 2.5}, {"default_temperature": -1}, {"default_max_tokens": 0}]
)
def test_the_database_refuses_what_is_out_of_range(
    values: dict[str, float], example: LLMClient
) -> None:
    for name, value in values.items():
        setattr(example, name, value)
    with pytest.raises(IntegrityError):
        db.session.flush()
