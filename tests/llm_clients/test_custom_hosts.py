"""Clients on customers' domains: their hosts, and runs that never hold up the default host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from portal.custom_domains.hosts import announce_change, hosts_on
from portal.custom_domains.models import LLMClientCustomDomain, LLMClientCustomDomainDNS
from portal.custom_domains.results import Acts, CheckResult, Checks, Reasons, Verdicts
from portal.database import current_settings, db, utc_now
from portal.errors import AdapterError
from portal.llm_clients import custom_hosts, registration
from portal.llm_clients.deployment import custom, jobs
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.deployment.steps import attempt
from portal.llm_clients.deployment.targets import target_of
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.serving import served
from tests.outside import FakeOutside
from tests.people import MakeClient, People

Kinds, States, Scopes = Deployment.Kinds, Deployment.States, Deployment.Scopes
DomainStates = LLMClientCustomDomain.States
NAME = "lakeside.example"


class Story:
    """An account's clients and domains, and the outside; runs are walked by hand."""

    def __init__(self) -> None:
        self.outside = FakeOutside()
        self.now = utc_now()

    def domain(self, account_id: int, *, verified: bool = True) -> LLMClientCustomDomain:
        domain = LLMClientCustomDomain(
            account_id=account_id, domain_name=NAME, verification_token="token"
        )
        db.session.add(domain)
        db.session.commit()
        if verified:
            self.verify(domain)
        return domain

    def verify(self, domain: LLMClientCustomDomain) -> None:
        domain.is_verified, domain.state = True, DomainStates.VERIFIED
        announce_change(domain, self.now)
        db.session.commit()

    def lose(self, domain: LLMClientCustomDomain) -> None:
        domain.is_verified, domain.state = False, DomainStates.PENDING
        announce_change(domain, self.now)
        db.session.commit()

    def checked(self, domain: LLMClientCustomDomain, wrong: CheckResult | None = None) -> None:
        """A round of checks ended: all well, or one thing wrong."""
        passing = [
            CheckResult(check, host.host, Verdicts.PASS, "As it should be.")
            for host in hosts_on(domain, self.now)
            for check in Checks
        ]
        kept = [one for one in passing if wrong is None or one.check != wrong.check]
        results = [*kept, wrong] if wrong else kept
        domain.check_results = [result.as_json() for result in results]
        announce_change(domain, self.now)
        db.session.commit()

    def finish(self, llm_client: LLMClient, scope: Deployment.Scopes) -> Deployment:
        """Walk the scope's newest run until it waits or ends."""
        for _ in range(20):
            run = deployment.last_run(llm_client, scope)
            assert run is not None
            if not run.is_active or (run.next_attempt_at and run.next_attempt_at > self.now):
                return run
            target = target_of(run, self.now)
            act = deployment.STEPS[run.step].act
            result = attempt(act, target, self.outside.adapters(), self.now)
            domain_ids = custom.domains_of(run)
            deployment.record(run, target, result, self.now)
            if not run.is_active and run.kind != Kinds.DEPLOY:
                custom.after_run(domain_ids, self.now)
            db.session.commit()
        raise AssertionError("the run does not end")

    def deploy(self, llm_client: LLMClient) -> None:
        jobs.begin(llm_client, Kinds.DEPLOY, self.now, None)
        db.session.commit()
        self.finish(llm_client, Scopes.DEFAULT)


@pytest.fixture
def story(people: People) -> Story:
    return Story()


@pytest.fixture
def made(make_client: MakeClient, people: People) -> dict[str, str]:
    """Hashed ids by what the tests call them; made before anything is read."""
    makes = {
        "client": lambda: make_client("patient_desk"),
        "other": lambda: make_client("night_desk"),
        "theirs": lambda: make_client("patient_desk", people.charlie),
    }
    return {name: make() for name, make in makes.items()}


@pytest.fixture
def client(made: dict[str, str], stored: Callable[[str], LLMClient]) -> LLMClient:
    return stored(made["client"])


@pytest.fixture
def other(made: dict[str, str], stored: Callable[[str], LLMClient]) -> LLMClient:
    return stored(made["other"])


@pytest.fixture
def theirs(made: dict[str, str], stored: Callable[[str], LLMClient]) -> LLMClient:
    return stored(made["theirs"])


def attached(
    story: Story, llm_client: LLMClient, *, verified: bool = True
) -> LLMClientCustomDomain:
    domain = story.domain(llm_client.account_id, verified=verified)
    custom.put_on_domain(llm_client, domain, story.now, None)
    db.session.commit()
    return domain


def opened(story: Story, llm_client: LLMClient) -> LLMClientCustomDomain:
    domain = attached(story, llm_client)
    story.deploy(llm_client)
    story.checked(domain)
    run = story.finish(llm_client, Scopes.CUSTOM)
    assert run.state == States.DONE, run.message
    return domain


def hosts() -> dict[str, str]:
    return {host.hostname: str(host.state) for host in db.session.scalars(db.select(LLMClientHost))}


def is_served(host: str) -> bool:
    found = served.by_host(host)
    return found is not None and found.is_open


def test_a_host_on_a_domain_is_its_name_and_the_domain(story: Story, client: LLMClient) -> None:
    opened(story, client)
    assert client.custom_host == f"patient-desk.{NAME}"
    assert is_served(client.custom_host)
    assert client.mode(client.custom_host) == "custom"


def test_an_unverified_domain_gives_no_host(story: Story, client: LLMClient) -> None:
    domain = attached(story, client, verified=False)
    story.deploy(client)
    assert client.custom_host is None
    assert f"patient-desk.{NAME}" not in hosts()
    assert deployment.last_run(client, Scopes.CUSTOM) is None
    story.verify(domain)
    story.checked(domain)
    assert story.finish(client, Scopes.CUSTOM).state == States.DONE
    assert is_served(f"patient-desk.{NAME}")


def test_the_default_host_waits_for_no_customer(story: Story, client: LLMClient) -> None:
    domain = attached(story, client)
    story.deploy(client)
    wrong = CheckResult(
        Checks.ROUTING,
        f"patient-desk.{NAME}",
        Verdicts.WRONG,
        "No record yet.",
        Reasons.MISSING_AT_AUTHORITY,
        Acts.CUSTOMER,
    )
    story.checked(domain, wrong)
    run = story.finish(client, Scopes.CUSTOM)
    assert (run.step, run.who_acts, run.reason) == ("see_checks", "customer", wrong.reason)
    assert client.is_open
    assert not is_served(f"patient-desk.{NAME}")
    assert not any("certificate patient-desk.lakeside" in call for call in story.outside.calls)


def test_checks_that_pass_hurry_the_run(story: Story, client: LLMClient) -> None:
    domain = attached(story, client)
    story.deploy(client)
    waiting = story.finish(client, Scopes.CUSTOM)
    assert waiting.step == "see_checks"
    assert waiting.next_attempt_at is not None
    assert waiting.next_attempt_at > story.now
    story.checked(domain)
    assert story.finish(client, Scopes.CUSTOM).state == States.DONE


def test_the_bare_domain_belongs_to_one_client(
    story: Story, client: LLMClient, other: LLMClient
) -> None:
    domain = story.domain(client.account_id)
    custom.put_on_domain(client, domain, story.now, None, uses_bare_domain=True)
    db.session.commit()
    with pytest.raises(custom_hosts.NotAttachable, match="patient_desk already has"):
        custom.put_on_domain(other, domain, story.now, None, uses_bare_domain=True)
    custom.put_on_domain(other, domain, story.now, None)
    assert set(hosts()) >= {f"patient-desk.{NAME}", NAME, f"night-desk.{NAME}"}
    story.deploy(client)
    story.checked(domain)
    story.finish(client, Scopes.CUSTOM)
    assert is_served(NAME)
    assert client.mode(NAME) == "custom"


def test_undeploying_closes_both_at_once(story: Story, client: LLMClient) -> None:
    opened(story, client)
    jobs.begin(client, Kinds.UNDEPLOY, story.now, None)
    db.session.commit()
    assert not is_served(client.default_host)
    assert not is_served(f"patient-desk.{NAME}")
    story.finish(client, Scopes.DEFAULT)
    story.finish(client, Scopes.CUSTOM)
    assert len(story.outside.revoked) == 2
    assert hosts()[f"patient-desk.{NAME}"] == "current", "it stays attached"


def test_detaching_closes_the_custom_host_alone(story: Story, client: LLMClient) -> None:
    opened(story, client)
    custom.take_off_domain(client, story.now, None)
    db.session.commit()
    assert not is_served(f"patient-desk.{NAME}")
    assert is_served(client.default_host)
    story.finish(client, Scopes.CUSTOM)
    assert hosts()[f"patient-desk.{NAME}"] == "tombstone"
    assert client.is_open


def test_moving_to_another_client_moves_nothing_else(
    story: Story, client: LLMClient, other: LLMClient
) -> None:
    domain = opened(story, client)
    story.deploy(other)
    custom.put_on_domain(other, domain, story.now, None)
    custom.take_off_domain(client, story.now, None)
    db.session.commit()
    story.checked(domain)
    story.finish(client, Scopes.CUSTOM)
    story.finish(other, Scopes.CUSTOM)
    assert is_served(f"night-desk.{NAME}")
    assert not is_served(f"patient-desk.{NAME}")


def test_a_renamed_client_answers_at_the_old_host_until_the_new_one_is_open(
    story: Story, client: LLMClient
) -> None:
    domain = opened(story, client)
    registration.rename(client, "front_desk")
    jobs.begin(client, Kinds.DEPLOY, story.now, None)
    db.session.commit()
    assert is_served(f"patient-desk.{NAME}")
    assert not is_served(f"front-desk.{NAME}")
    story.finish(client, Scopes.DEFAULT)
    story.checked(domain)
    story.finish(client, Scopes.CUSTOM)
    assert is_served(f"front-desk.{NAME}")
    assert not is_served(f"patient-desk.{NAME}")
    assert hosts()[f"patient-desk.{NAME}"] == "tombstone"


def test_a_domain_that_is_lost_is_served_no_more(story: Story, client: LLMClient) -> None:
    domain = opened(story, client)
    story.lose(domain)
    assert not is_served(f"patient-desk.{NAME}")
    story.finish(client, Scopes.CUSTOM)
    assert hosts()[f"patient-desk.{NAME}"] == "tombstone"
    assert client.custom_domain is not None, "the client keeps its wish"
    story.verify(domain)
    story.checked(domain)
    assert story.finish(client, Scopes.CUSTOM).state == States.DONE
    assert is_served(f"patient-desk.{NAME}")


def test_the_next_holder_opens_once_the_last_one_is_gone(
    story: Story, client: LLMClient, theirs: LLMClient
) -> None:
    domain = opened(story, client)
    claimed = story.domain(theirs.account_id, verified=False)
    custom.put_on_domain(theirs, claimed, story.now, None)
    story.deploy(theirs)
    story.lose(domain)
    story.verify(claimed)
    story.checked(claimed)
    host = f"patient-desk.{NAME}"
    assert not is_served(host)
    story.finish(client, Scopes.CUSTOM)
    story.checked(claimed)
    assert story.finish(theirs, Scopes.CUSTOM).state == States.DONE
    found = served.by_host(host)
    assert found is not None
    assert found.account_id == theirs.account_id


def test_a_domain_being_removed_goes_when_its_hosts_are_gone(
    story: Story, client: LLMClient
) -> None:
    domain = opened(story, client)
    domain_id = domain.id
    domain.state, domain.is_verified = DomainStates.REMOVING, False
    announce_change(domain, story.now)
    db.session.commit()
    assert not is_served(f"patient-desk.{NAME}")
    assert db.session.get(LLMClientCustomDomain, domain_id) is not None
    story.finish(client, Scopes.CUSTOM)
    assert db.session.get(LLMClientCustomDomain, domain_id, populate_existing=True) is None
    assert client.is_open, "a domain never takes a client with it"


def test_deleting_a_client_takes_both_hosts(story: Story, client: LLMClient) -> None:
    opened(story, client)
    jobs.begin(client, Kinds.DELETE, story.now, None)
    db.session.commit()
    host, client_id = f"patient-desk.{NAME}", client.id
    assert not is_served(host)
    story_client = client
    for _ in range(3):
        run = deployment.last_run(story_client)
        assert run is not None
        target = target_of(run, story.now)
        result = attempt(
            deployment.STEPS[run.step].act, target, story.outside.adapters(), story.now
        )
        deployment.record(run, target, result, story.now)
        db.session.commit()
    assert db.session.get(LLMClient, client_id) is None
    assert hosts()[host] == "tombstone"


def routing_row(domain: LLMClientCustomDomain) -> LLMClientCustomDomainDNS:
    host = f"patient-desk.{NAME}"
    record = LLMClientCustomDomainDNS(
        custom_domain=domain, host=host, record_name=host, record_type="CNAME", record_value="edge"
    )
    db.session.add(record)
    db.session.commit()
    return record


def test_a_zone_edited_by_hand_is_its_owners(story: Story, client: LLMClient) -> None:
    domain = opened(story, client)
    record = routing_row(domain)
    jobs.begin(client, Kinds.UNDEPLOY, story.now, None)
    db.session.commit()
    run = story.finish(client, Scopes.CUSTOM)
    assert run.state == States.DONE
    assert "may now remove" in run.message
    assert record.published_by == "manual"


def test_where_we_may_the_run_publishes_the_record_and_takes_it_back(
    story: Story, client: LLMClient
) -> None:
    domain = attached(story, client)
    domain.zone_editor = "rfc2136"
    record = routing_row(domain)
    story.deploy(client)
    story.finish(client, Scopes.CUSTOM)
    assert story.outside.zone[f"patient-desk.{NAME}"] == ("edge.api.local.localhost",)
    assert record.published_by == "rfc2136"
    story.checked(domain)
    assert story.finish(client, Scopes.CUSTOM).state == States.DONE
    custom.take_off_domain(client, story.now, None)
    db.session.commit()
    story.finish(client, Scopes.CUSTOM)
    assert f"patient-desk.{NAME}" not in story.outside.zone


def test_a_record_that_is_needed_later_is_published_by_the_run_that_waits(
    story: Story, client: LLMClient
) -> None:
    domain = attached(story, client)
    story.deploy(client)
    run = story.finish(client, Scopes.CUSTOM)
    domain.zone_editor = "rfc2136"
    routing_row(domain)
    assert deployment.try_now(run, story.now)
    db.session.commit()
    run = story.finish(client, Scopes.CUSTOM)
    assert run.step == "publish_records"
    run.next_attempt_at = story.now
    story.finish(client, Scopes.CUSTOM)
    assert f"patient-desk.{NAME}" in story.outside.zone


def test_a_customer_who_shut_us_out_keeps_no_host_open(story: Story, client: LLMClient) -> None:
    domain = opened(story, client)
    domain.zone_editor = "rfc2136"
    routing_row(domain)
    story.outside.customer_error = AdapterError("No key.", reason="bad_key", permanent=True)
    custom.take_off_domain(client, story.now, None)
    db.session.commit()
    run = story.finish(client, Scopes.CUSTOM)
    assert run.state == States.DONE
    assert hosts()[f"patient-desk.{NAME}"] == "tombstone"


def test_our_record_comes_to_a_customers_zone_that_we_edit(story: Story, client: LLMClient) -> None:
    domain, zones = attached(story, client), []

    def editor(kind: str, zone: str, values: dict[str, str]) -> FakeOutside:
        zones.append((kind, zone))
        return story.outside

    domain.zone_editor, domain.zone_name = "rfc2136", NAME
    db.session.commit()
    edited = replace(story.outside.adapters(), customer_zone_editor=editor)
    story.outside.adapters = lambda: edited  # type: ignore[method-assign]
    story.deploy(client)
    story.finish(client, Scopes.CUSTOM)
    target = current_settings().edge_host
    assert story.outside.zone[f"patient-desk.{NAME}"] == (target,)
    assert set(zones) == {("rfc2136", NAME)}
    assert domain.next_attempt_at == story.now, "and is looked at at once"
    jobs.begin(client, Kinds.UNDEPLOY, story.now, None)
    db.session.commit()
    story.finish(client, Scopes.CUSTOM)
    assert f"patient-desk.{NAME}" not in story.outside.zone


def test_a_domain_that_is_verified_meanwhile_is_not_forgotten(
    story: Story, client: LLMClient
) -> None:
    domain = attached(story, client, verified=False)
    jobs.begin(client, Kinds.DEPLOY, story.now, None)
    db.session.commit()
    story.verify(domain)
    run = deployment.active_run(client, Scopes.CUSTOM)
    assert run is not None, "before the default host is open"


def test_a_cancelled_deployment_leaves_no_host_behind(story: Story, client: LLMClient) -> None:
    domain = attached(story, client)
    run = jobs.begin(client, Kinds.DEPLOY, story.now, None)
    jobs.cancel(run, story.now, None)
    db.session.commit()
    story.checked(domain)
    story.finish(client, Scopes.DEFAULT)
    assert story.finish(client, Scopes.CUSTOM).kind == Kinds.UNDEPLOY
    assert not is_served(f"patient-desk.{NAME}")


def test_renamed_on_its_way_a_client_is_deployed_from_the_start(
    story: Story, client: LLMClient
) -> None:
    story.deploy(client)
    old = client.default_host
    first = jobs.begin(client, Kinds.DEPLOY, story.now, None)
    jobs.rename(client, "front_desk", story.now, None)
    db.session.commit()
    assert first.state == States.CANCELLED
    assert story.finish(client, Scopes.DEFAULT).plan[-1] == "close_old_address"
    assert hosts()[old] == "tombstone"


def test_hosts_are_told_to_the_checks(story: Story, client: LLMClient) -> None:
    domain = attached(story, client)
    found = hosts_on(domain, datetime.now(story.now.tzinfo))
    assert [(host.host, host.is_open, host.is_wanted_open) for host in found] == [
        (f"patient-desk.{NAME}", False, False)
    ]
