"""Who publishes: editors by their described settings, secrets that stay inside, and the test."""

from __future__ import annotations

import base64
from collections.abc import Callable

from portal.accounts.models import AuditEvent
from portal.custom_domains import zone_editing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from tests.domain_setup.conftest import MakeDomain
from tests.people import Browser
from tests.planes import Planes

RunJobs = Callable[..., int]
DomainOf = Callable[[int], LLMClientCustomDomain | None]
SECRET = base64.b64encode(b"a secret of thirty-two octets...").decode()
VALUES = {
    "setting_server": "127.0.0.1",
    "setting_port": "9",
    "setting_key_name": "portal-key",
    "setting_secret": SECRET,
}


def values_of(planes: Planes, number: int) -> dict[str, str]:
    with planes.worker.app_context():
        domain = db.session.get(LLMClientCustomDomain, number)
        assert domain is not None
        return zone_editing.values_of(domain)


def test_the_optional_records_are_chosen_and_shown_at_once(
    alice: Browser, make_domain: MakeDomain, domain_of: DomainOf
) -> None:
    number = make_domain(challenge_label="k3p9")
    path = f"/custom-domains/{number}/publishing"
    page = alice.follow(alice.post(path, {"wants_wildcard": "y", "wants_delegation": "y"}))
    names = {record.record_name for record in domain_of(number).dns_records}
    assert "*.lakeside-clinic.example" in names
    assert "_acme-challenge.lakeside-clinic.example" in page.text
    assert alice.get(path).find("#wants_wildcard").has_attr("checked")
    alice.post(path, {})
    left = domain_of(number)
    assert not left.wants_wildcard
    assert {record.purpose for record in left.dns_records} == {"ownership"}


def test_an_editor_is_set_up_and_its_secret_never_comes_back(
    alice: Browser, planes: Planes, make_domain: MakeDomain
) -> None:
    number = make_domain()
    path = f"/custom-domains/{number}/publishing/rfc2136"
    assert "Dynamic updates" in alice.get(f"/custom-domains/{number}/publishing").words
    page = alice.follow(alice.post(path, VALUES))
    assert SECRET not in page.text
    assert f"Ends in {SECRET[-4:]}." in page.words
    assert page.find("#setting_server")["value"] == "127.0.0.1"
    assert page.find("#setting_secret")["value"] == ""
    assert values_of(planes, number)["secret"] == SECRET
    alice.post(path, {**VALUES, "setting_port": "10", "setting_secret": ""})
    assert values_of(planes, number)["secret"] == SECRET, "an empty one keeps what is there"
    assert values_of(planes, number)["port"] == "10"
    with planes.worker.app_context():
        for table in db.metadata.sorted_tables:
            assert SECRET not in str(db.session.execute(db.select(table)).all()), table.name
        told = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id)).all()
    assert told[0].after["replaced"] == ["secret"]
    assert told[1].after["replaced"] == []


def test_what_is_missing_is_said_and_what_was_typed_is_kept(
    alice: Browser, make_domain: MakeDomain, domain_of: DomainOf
) -> None:
    number = make_domain()
    path = f"/custom-domains/{number}/publishing/rfc2136"
    page = alice.post(path, {"setting_server": "ns1.example"}, expected=422)
    assert "Key name is needed." in page.words
    assert page.find("#setting_server")["value"] == "ns1.example"
    assert domain_of(number).zone_editor == "manual"


def test_a_test_that_fails_says_why(
    alice: Browser, make_domain: MakeDomain, run_jobs: RunJobs
) -> None:
    number = make_domain()
    path = f"/custom-domains/{number}/publishing"
    page = alice.follow(alice.post(f"{path}/rfc2136", VALUES))
    assert page.find("#status")["data-poll-url"] == f"{path}/status"
    assert "Being tested" in page.words
    run_jobs()
    done = alice.get(f"{path}/status")
    assert "Does not work" in done.words
    assert not done.find("#status").has_attr("data-poll-url")
    alice.post(f"{path}/test")
    assert "Being tested" in alice.get(f"{path}/status").words


def test_the_embedded_name_server_works_and_by_hand_ends_it(
    alice: Browser, make_domain: MakeDomain, run_jobs: RunJobs, domain_of: DomainOf
) -> None:
    number = make_domain()
    path = f"/custom-domains/{number}/publishing"
    alice.post(f"{path}/local", {})
    assert "We publish the records" in alice.get(f"/custom-domains/{number}/").words
    run_jobs()
    assert domain_of(number).zone_editor == "local"
    page = alice.follow(alice.post(f"{path}/manual", {}))
    assert "You publish the records yourself from now on." in page.words
    assert "Publish one record" in page.words
    assert alice.post(f"{path}/test").location.endswith("/publishing/manual#test")


def test_settings_that_can_never_work_are_refused_in_the_form(
    alice: Browser, make_domain: MakeDomain, domain_of: DomainOf
) -> None:
    number = make_domain()
    path = f"/custom-domains/{number}/publishing/rfc2136"
    broken = alice.post(path, {**VALUES, "setting_secret": "not base64!"}, expected=422)
    assert "base64" in broken.find("[role=alert]").text
    assert broken.find("#setting_key_name")["value"] == "portal-key"
    assert "not base64!" not in broken.text
    assert domain_of(number).zone_editor == "manual"
