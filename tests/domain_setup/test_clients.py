"""Clients on domains: attached from either page, moved, detached; only whose they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.accounts.models import AuditEvent
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from tests.domain_setup import some_domains
from tests.domain_setup.conftest import MakeDomain, client_of
from tests.people import Browser, MakeClient, People
from tests.planes import Planes

DomainOf = Callable[[int], LLMClientCustomDomain | None]
OnDomain = Callable[[str], int | None]


@pytest.fixture
def on_domain(planes: Planes) -> OnDomain:
    """The number of the domain that a client is on."""

    def find(hashed_id: str) -> int | None:
        with planes.worker.app_context():
            return client_of(hashed_id).custom_domain_id

    return find


@pytest.fixture
def patient_desk(make_client: MakeClient) -> str:
    return make_client("patient_desk")


def test_a_client_is_attached_from_the_domains_page_and_its_record_is_there(
    alice: Browser,
    patient_desk: str,
    make_domain: MakeDomain,
    domain_of: DomainOf,
    on_domain: OnDomain,
) -> None:
    number = make_domain()
    path = f"/custom-domains/{number}/clients/attach"
    assert "patient-desk.lakeside-clinic.example" in alice.get(path).words
    page = alice.follow(alice.post(path, {"llm_client": patient_desk}))
    assert "its host is patient-desk.lakeside-clinic.example" in page.words
    assert on_domain(patient_desk) == number
    records = {record.record_name for record in domain_of(number).dns_records}
    assert "patient-desk.lakeside-clinic.example" in records
    assert "Publish two records" in page.words
    assert "Every client that you may change is on this domain already." in alice.get(path).words


def test_nothing_chosen_and_foreign_clients_are_refused(
    alice: Browser, people: People, make_client: MakeClient, make_domain: MakeDomain
) -> None:
    path = f"/custom-domains/{make_domain()}/clients/attach"
    make_client("own")
    foreign = make_client("foreign", people.charlie)
    assert "Choose a client." in alice.post(path, {}, expected=422).words
    refused = alice.post(path, {"llm_client": foreign, "uses_bare_domain": "y"}, expected=422)
    assert refused.find("#uses_bare_domain").has_attr("checked")
    assert "foreign" not in refused.words


def test_the_tab_of_a_client_without_a_domain_teaches(
    alice: Browser, people: People, patient_desk: str, make_domain: MakeDomain
) -> None:
    path = f"/llm-clients/{patient_desk}/domain"
    page = alice.get(path)
    assert "Answer at an address of your own" in page.words
    assert page.find(".empty-state a")["href"] == "/custom-domains/new"
    assert "An admin of your account adds domains." in people.browser(people.bob).get(path).words
    make_domain()
    page = alice.get(path)
    assert "Not on a domain of yours yet" in page.words
    assert "patient-desk.lakeside-clinic.example" in page.words


def test_a_client_goes_to_a_domain_moves_to_another_and_leaves(
    alice: Browser, patient_desk: str, make_domain: MakeDomain, on_domain: OnDomain, planes: Planes
) -> None:
    first, second = make_domain("first.example"), make_domain("second.example")
    path = f"/llm-clients/{patient_desk}/domain"
    assert alice.post(path, {}, expected=422).words.count("Choose a domain.") == 2
    for number in (first, second):
        alice.post(path, {"custom_domain": str(number), "uses_bare_domain": "y"})
        assert on_domain(patient_desk) == number
    page = alice.get(path)
    assert page.find("input[name=custom_domain][checked]")["value"] == str(second)
    assert page.find("#uses_bare_domain").has_attr("checked")
    asked = alice.get(f"{path}/detach")
    assert "Visitors of patient-desk.second.example are no longer answered" in asked.words
    assert "Visitors of second.example are no longer answered" in asked.words
    left = alice.follow(alice.post(f"{path}/detach"))
    assert "patient_desk is off second.example." in left.words
    assert on_domain(patient_desk) is None
    assert "is on no domain" in alice.follow(alice.post(f"{path}/detach")).words
    with planes.worker.app_context():
        told = list(db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id)))
    assert [event.action for event in told] == [
        "custom_domain_attached",
        "custom_domain_attached",
        "custom_domain_detached",
    ]
    assert told[1].before == {"custom_domain": "first.example"}


def test_the_bare_domain_belongs_to_one_client(
    alice: Browser, patient_desk: str, make_client: MakeClient, make_domain: MakeDomain
) -> None:
    values = {"custom_domain": str(make_domain()), "uses_bare_domain": "y"}
    alice.post(f"/llm-clients/{patient_desk}/domain", values)
    other = make_client("foyer")
    refused = alice.post(f"/llm-clients/{other}/domain", values, expected=422)
    assert (
        "The client patient_desk already has the address lakeside-clinic.example" in refused.words
    )
    assert refused.find("#uses_bare_domain").has_attr("checked")


def test_members_attach_their_own_clients_only(
    people: People, patient_desk: str, make_client: MakeClient, make_domain: MakeDomain
) -> None:
    bob, number = people.browser(people.bob), make_domain()
    bobs = make_client("bobs", people.bob)
    values = {"custom_domain": str(number)}
    bob.post(f"/llm-clients/{bobs}/domain", values)
    bob.post(f"/llm-clients/{patient_desk}/domain", values, expected=403)
    bob.post(f"/llm-clients/{patient_desk}/domain/detach", expected=403)
    offered = bob.get(f"/custom-domains/{number}/clients/attach")
    assert "patient_desk" not in offered.words
    page = bob.get(f"/llm-clients/{patient_desk}/domain")
    assert not page.html.select("main form[method=post]")


def test_a_domain_of_another_account_is_no_choice(
    alice: Browser, people: People, patient_desk: str, make_domain: MakeDomain, on_domain: OnDomain
) -> None:
    make_domain("own.example")
    foreign = make_domain("theirs.example", owner=people.charlie)
    path = f"/llm-clients/{patient_desk}/domain"
    assert "theirs.example" not in alice.get(path).words
    alice.post(path, {"custom_domain": str(foreign)}, expected=422)
    assert on_domain(patient_desk) is None


def test_the_tab_shows_the_same_checks_and_comes_back_to_itself(
    alice: Browser, patient_desk: str, make_domain: MakeDomain
) -> None:
    def describe(domain: LLMClientCustomDomain) -> None:
        host = some_domains.put_on(domain, client_of(patient_desk))
        some_domains.one_level_too_deep(domain, host, utc_now())

    number = make_domain("lakeside-clinic.example", describe)
    path = f"/llm-clients/{patient_desk}/domain"
    tab, own = alice.get(path), alice.get(f"/custom-domains/{number}/")
    checks = [page.find(".checks").get_text() for page in (tab, own)]
    assert checks[0] == checks[1]
    form = tab.find(f'form[action="/custom-domains/{number}/check"]')
    assert form.select_one("input[name=next]")["value"] == path
    page = alice.get(f"/llm-clients/{patient_desk}/")
    assert page.find(f'form[action="/custom-domains/{number}/check"]')
    assert "published under the domain twice" in page.find(".checks").text
    assert page.find("#status")["data-poll-url"] == f"/llm-clients/{patient_desk}/status"
    fragment = alice.get(f"{path}/status")
    assert fragment.find("#status")["data-poll-url"] == f"{path}/status"
    assert fragment.find(".checks").get_text() == checks[0]


def test_a_client_among_many_sees_the_checks_of_its_own_host(
    alice: Browser, patient_desk: str, make_client: MakeClient, make_domain: MakeDomain
) -> None:
    other = make_client("foyer")

    def describe(domain: LLMClientCustomDomain) -> None:
        hosts = [some_domains.put_on(domain, client_of(one)) for one in (patient_desk, other)]
        some_domains.all_pass(domain, *hosts, now=utc_now())

    number = make_domain("lakeside-clinic.example", describe)
    assert "foyer.lakeside" in alice.get(f"/custom-domains/{number}/").find(".checks").text
    for path in (f"/llm-clients/{patient_desk}/domain", f"/llm-clients/{patient_desk}/"):
        page = alice.get(path)
        assert "foyer.lakeside" not in page.find(".checks").text
        assert "5 of 5 pass." in page.words
