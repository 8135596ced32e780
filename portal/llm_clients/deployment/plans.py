"""What a run consists of: the steps by name, and which of them, in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from portal.llm_clients import registration
from portal.llm_clients.deployment import attempts, effects, steps
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost

Kinds, Scopes = Deployment.Kinds, Deployment.Scopes
Effect = Callable[[Deployment, attempts.Target, attempts.Done, datetime], None]


@dataclass(frozen=True)
class Step:
    """One line of the timeline: what it is called, what it tries, what follows in the database."""

    key: str
    title: str
    act: attempts.Act
    effect: Effect


STEPS = {
    step.key: step
    for step in (
        Step("publish_dns", "Publish the DNS record", steps.publish_dns, effects.published),
        Step("see_dns", "See the record in DNS", steps.see_dns, effects.dns_seen),
        Step(
            "request_certificate",
            "Request the certificate",
            steps.request_certificate,
            effects.certified,
        ),
        Step(
            "see_certificate",
            "See the certificate over HTTPS",
            steps.see_certificate,
            effects.certificate_seen,
        ),
        Step("open_for_visitors", "Open for visitors", steps.open_for_visitors, effects.opened),
        Step(
            "close_old_address",
            "Close the old address",
            steps.close_old_address,
            effects.old_closed,
        ),
        Step(
            "withdraw_certificate",
            "Withdraw the certificate",
            steps.withdraw_certificate,
            effects.certificate_withdrawn,
        ),
        Step("withdraw_dns", "Withdraw the DNS record", steps.withdraw_dns, effects.dns_withdrawn),
        Step("forget", "Delete the client", steps.forget, effects.forgotten),
        Step(
            "publish_records",
            "Publish the records",
            steps.publish_records,
            effects.records_published,
        ),
        Step("see_checks", "See the domain’s checks pass", steps.see_checks, effects.checks_seen),
    )
}
DEPLOY_PLAN = (
    "publish_dns",
    "see_dns",
    "request_certificate",
    "see_certificate",
    "open_for_visitors",
)
CUSTOM_DEPLOY_PLAN = (
    "publish_records",
    "see_checks",
    "request_certificate",
    "see_certificate",
    "open_for_visitors",
)
UNDEPLOY_PLAN = ("withdraw_certificate", "withdraw_dns")
PLANS = {
    Kinds.DEPLOY: DEPLOY_PLAN,
    Kinds.UNDEPLOY: UNDEPLOY_PLAN,
    Kinds.DELETE: (*UNDEPLOY_PLAN, "forget"),
}


def plan_of(llm_client: LLMClient, kind: Deployment.Kinds, scope: Deployment.Scopes) -> list[str]:
    """The keys of a run's steps; an old address closes once the new one is open."""
    is_custom = scope == Scopes.CUSTOM
    plan = list(CUSTOM_DEPLOY_PLAN if is_custom and kind == Kinds.DEPLOY else PLANS[kind])
    leaving = registration.hosts_of(llm_client, LLMClientHost.States.LEAVING, is_custom=is_custom)
    if kind == Kinds.DEPLOY and leaving:
        plan.append("close_old_address")
    return plan
