"""Deployment as verbs on rows, with an outside that does as it is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import current_app

from portal.database import db, utc_now
from portal.dns import Answer
from portal.errors import AdapterError
from portal.llm_clients import registration
from portal.llm_clients.deployment import plans
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.jobs import due_deployments, remove_old_tombstones
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.deployment.steps import attempt
from portal.llm_clients.deployment.targets import target_of
from portal.llm_clients.models import LLMClient, LLMClientHost
from tests.outside import FakeOutside, issuance
from tests.people import MakeClient

Kinds, States = Deployment.Kinds, Deployment.States
Dns = LLMClient.DnsVerificationStatusChoices
Tls = LLMClient.TlsCertificateIssuanceStatusChoices


class Story:
    """One client, its outside and its runs."""

    def __init__(self, llm_client: LLMClient) -> None:
        self.llm_client = llm_client
        self.outside = FakeOutside()
        self.now = utc_now()

    @property
    def host(self) -> str:
        return self.llm_client.default_host

    @property
    def run(self) -> Deployment:
        found = deployment.last_run(self.llm_client)
        assert found is not None
        return found

    def begin(self, kind: Deployment.Kinds = Kinds.DEPLOY) -> Deployment:
        run = deployment.begin(self.llm_client, kind, self.now, None)
        db.session.commit()
        return run

    def step(self, now: datetime | None = None) -> str:
        """One attempt at the run's step, as the job would make it; the result's name."""
        run, now = self.run, now or self.now
        act = deployment.STEPS[run.step].act
        target = target_of(run, now)
        result = attempt(act, target, self.outside.adapters(), now)
        deployment.record(run, target, result, now)
        db.session.commit()
        return type(result).__name__

    def finish(self) -> None:
        for _ in range(20):
            if not self.run.is_active:
                return
            self.step()
        raise AssertionError(f"still at {self.run.step}: {self.run.message}")

    def deploy(self) -> None:
        self.begin()
        self.finish()

    def hosts(self) -> dict[str, str]:
        found = db.session.scalars(db.select(LLMClientHost).order_by(LLMClientHost.id))
        return {host.hostname.partition(".")[0]: str(host.state) for host in found}


@pytest.fixture
def story(make_client: MakeClient, stored: Callable[[str], LLMClient]) -> Story:
    return Story(stored(make_client("example")))


def test_five_steps_lead_to_a_client_that_is_ready(story: Story) -> None:
    story.deploy()
    llm_client = story.llm_client
    assert story.run.state == States.DONE
    assert [event.step for event in story.run.events] == list(plans.DEPLOY_PLAN)
    assert llm_client.deployed
    assert llm_client.ready
    assert llm_client.is_open
    assert llm_client.published_revision is not None
    assert llm_client.published_revision.number == 1
    assert story.outside.zone == {story.host: ("127.0.0.1",)}


def test_statuses_say_only_what_was_seen(story: Story) -> None:
    story.begin()
    seen = [
        (story.llm_client.dns_verification_status, story.llm_client.tls_certificate_issuance_status)
    ]
    while story.run.is_active:
        story.step()
        seen.append(
            (
                story.llm_client.dns_verification_status,
                story.llm_client.tls_certificate_issuance_status,
            )
        )
    assert seen == [
        (Dns.VERIFYING, Tls.NO_CERTIFICATE),
        (Dns.VERIFYING, Tls.NO_CERTIFICATE),
        (Dns.VERIFIED, Tls.REQUESTED),
        (Dns.VERIFIED, Tls.REQUESTED),
        (Dns.VERIFIED, Tls.ISSUED),
        (Dns.VERIFIED, Tls.ISSUED),
    ]


def test_a_second_press_joins_the_first(story: Story) -> None:
    assert story.begin().id == story.begin().id


def test_deploying_twice_changes_nothing_outside(story: Story) -> None:
    story.deploy()
    before = list(story.outside.calls)
    story.deploy()
    assert story.outside.calls == before
    assert story.outside.issued == 1


def test_a_server_that_cannot_be_asked_is_waited_for(story: Story) -> None:
    story.begin()
    story.step()
    story.outside.authority_status = "could_not_ask"
    assert story.step() == "Wait"
    run = story.run
    assert run.reason == "cannot_tell"
    assert run.next_attempt_at is not None
    assert run.next_attempt_at > story.now
    assert run.step == "see_dns"
    assert story.llm_client.dns_verification_status == Dns.VERIFYING
    story.outside.authority_status = ""
    story.finish()
    assert story.llm_client.ready


def test_a_record_that_vanished_is_published_again(story: Story) -> None:
    story.begin()
    story.step()
    story.outside.zone.clear()
    assert story.step() == "Wait"
    assert story.run.step == "publish_dns"
    story.finish()
    assert story.llm_client.ready


def test_a_public_resolver_that_still_has_the_old_answer_is_waited_for_as_long_as_it_may_keep_it(
    story: Story,
) -> None:
    story.begin()
    story.step()
    story.outside.public_answers = (Answer("no_name", server="9.9.9.9", ttl=77),)
    assert story.step() == "Wait"
    assert story.run.reason == "still_cached"
    assert story.run.who_acts == "nobody"
    assert story.run.next_attempt_at == story.now + timedelta(seconds=77)


def test_an_old_address_is_named_beside_the_expected_one(story: Story) -> None:
    story.begin()
    story.step()
    story.outside.zone[story.host] = ("192.0.2.7",)
    story.step()
    assert "192.0.2.7" in story.run.message
    assert "expected 127.0.0.1" in story.run.message


def test_who_publishes_by_hand_is_waited_for(story: Story) -> None:
    story.outside.awaiting_owner = True
    story.begin()
    assert story.step() == "Wait"
    assert story.run.who_acts == "customer"
    story.outside.zone[story.host] = ("127.0.0.1",)
    story.finish()
    assert story.llm_client.ready


def test_a_refusal_for_good_ends_the_run_with_its_reason(story: Story) -> None:
    story.outside.zone_error = AdapterError("The key is wrong.", reason="bad_key", permanent=True)
    story.begin()
    assert story.step() == "Failed"
    assert story.run.state == States.FAILED
    assert story.run.message == "The key is wrong."
    assert story.run.who_acts == "platform"
    assert story.run.next_attempt_at is None
    assert story.llm_client.dns_verification_status == Dns.FAILED
    story.outside.zone_error = None
    story.deploy()
    assert story.llm_client.ready


def test_an_order_that_takes_time_keeps_its_state_between_attempts(story: Story) -> None:
    story.outside.issuances.append(
        issuance(
            "waiting",
            now=story.now,
            message="The CA is checking.",
            reason="pending",
            retry_in_seconds=7,
            state={"order": "https://ca.example/1"},
        )
    )
    story.begin()
    story.step()
    story.step()
    assert story.step() == "Wait"
    assert story.run.next_attempt_at == story.now + timedelta(seconds=7)
    story.now += timedelta(seconds=7)
    wish = target_of(story.run, story.now).wishes[story.host]
    assert wish.state["order"] == {"order": "https://ca.example/1"}
    story.finish()
    assert story.llm_client.ready


def test_an_edge_that_shows_another_certificate_is_not_enough(story: Story) -> None:
    story.begin()
    for _ in range(3):
        story.step()
    story.outside.serials[story.host] = "somebody-elses"
    assert story.step() == "Wait"
    assert story.run.reason == "issued_but_not_served"
    assert story.llm_client.tls_certificate_issuance_status == Tls.REQUESTED


def test_it_gives_up_after_fourteen_days_and_says_what_was_missing(story: Story) -> None:
    story.begin()
    story.outside.authority_status = "could_not_ask"
    story.step()
    assert story.step(story.now + timedelta(days=15)) == "Wait"
    assert story.run.state == States.FAILED
    assert "could not be asked" in story.run.message


def test_pauses_grow_and_end_at_four_hours() -> None:
    pauses = [deployment.pause_seconds(attempt_number) for attempt_number in range(1, 200)]
    assert pauses[:6] == [1, 2, 5, 10, 20, 30]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 4 * 3600


def test_undeploying_closes_at_the_press_and_withdraws_afterwards(story: Story) -> None:
    story.deploy()
    story.begin(Kinds.UNDEPLOY)
    assert not story.llm_client.deployed
    assert not any(host.is_open for host in registration.hosts_of(story.llm_client))
    assert story.outside.zone, "the record goes in the background"
    story.finish()
    assert story.outside.zone == {}
    assert story.outside.revoked == ["chain of serial-1\n"]
    assert story.llm_client.dns_verification_status == Dns.NOT_VERIFIED
    assert story.llm_client.tls_certificate_issuance_status == Tls.NO_CERTIFICATE


def test_undeploying_while_deploying_gives_way_and_leaves_nothing(story: Story) -> None:
    story.begin()
    story.step()
    story.begin(Kinds.UNDEPLOY)
    states = [
        run.state for run in db.session.scalars(db.select(Deployment).order_by(Deployment.id))
    ]
    assert states == [States.CANCELLED, States.ACTIVE]
    story.finish()
    assert story.outside.zone == {}
    assert not story.llm_client.deployed


def test_cancelling_takes_back_what_was_published(story: Story) -> None:
    run = story.begin()
    story.step()
    cleaning = deployment.cancel(run, story.now, None)
    db.session.commit()
    assert cleaning is not None
    assert run.state == States.CANCELLED
    story.finish()
    assert story.outside.zone == {}


def test_try_now_makes_a_waiting_run_due(story: Story) -> None:
    run = story.begin()
    assert not deployment.try_now(run, story.now), "it is due already"
    story.outside.awaiting_owner = True
    story.step()
    assert deployment.try_now(run, story.now)
    assert run.next_attempt_at == story.now


def test_a_renamed_client_answers_on_the_old_host_until_the_new_one_is_ready(story: Story) -> None:
    story.deploy()
    old = story.host
    assert registration.rename(story.llm_client, "renamed")
    story.begin()
    assert story.llm_client.deployed
    open_hosts = [h.hostname for h in registration.hosts_of(story.llm_client) if h.is_open]
    assert open_hosts == [old]
    story.finish()
    assert [event.step for event in story.run.events][-1] == "close_old_address"
    open_hosts = [h.hostname for h in registration.hosts_of(story.llm_client) if h.is_open]
    assert open_hosts == [story.host]
    assert story.hosts() == {"example": "tombstone", "renamed": "current"}
    assert set(story.outside.zone) == {story.host}


def test_renaming_a_client_that_is_not_deployed_frees_the_old_host(story: Story) -> None:
    registration.rename(story.llm_client, "renamed")
    db.session.commit()
    assert story.hosts() == {"renamed": "current"}


def test_deleting_leaves_a_tombstone_for_thirty_days(story: Story) -> None:
    story.deploy()
    story.begin(Kinds.DELETE)
    while db.session.scalar(db.select(Deployment.id).where(Deployment.state == States.ACTIVE)):
        story.step()
    assert db.session.scalar(db.select(LLMClient.id)) is None
    assert story.hosts() == {"example": "tombstone"}
    assert remove_old_tombstones(story.now + timedelta(days=29)) == 0
    assert remove_old_tombstones(story.now + timedelta(days=31)) == 1


def test_a_name_of_a_tombstone_can_be_used_again_by_its_account(
    story: Story, make_client: MakeClient
) -> None:
    story.begin(Kinds.DELETE)
    while db.session.scalar(db.select(Deployment.id).where(Deployment.state == States.ACTIVE)):
        story.step()
    db.session.commit()
    make_client("example")
    db.session.rollback()
    assert story.hosts() == {"example": "current"}


def test_the_clock_finds_what_is_due_and_in_nobodys_hands(story: Story) -> None:
    run = story.begin()
    assert [ring.arguments for ring in due_deployments(story.now)] == [(run.id,)]
    run.leased_until = story.now + timedelta(seconds=30)
    db.session.commit()
    assert list(due_deployments(story.now)) == []
    later = story.now + timedelta(seconds=31)
    assert [ring.arguments for ring in due_deployments(later)] == [(run.id,)]
    assert current_app.extensions["portal_settings"].job_lease_seconds <= 60


def test_rings_that_were_lost_are_rung_under_another_key(story: Story) -> None:
    story.begin()
    keys = {
        next(iter(due_deployments(story.now + timedelta(seconds=waited)))).key
        for waited in (0, 5, 12, 25)
    }
    assert len(keys) == 3


def test_a_deletion_that_has_begun_is_not_turned_back(story: Story) -> None:
    deletion = story.begin(Kinds.DELETE)
    assert story.begin(Kinds.DEPLOY).id == deletion.id


def test_a_step_at_which_the_worker_always_dies_is_given_up_with_a_reason(story: Story) -> None:
    run = story.begin()
    run.broken_off = deployment.MOST_BROKEN_OFF
    assert deployment.broke_off(run) is None
    run.broken_off += 1
    result = deployment.broke_off(run)
    assert result is not None
    deployment.record(run, target_of(run, story.now), result, story.now)
    assert run.state == States.FAILED
    assert "broke off" in run.message
