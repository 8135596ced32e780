"""What people can be told of, and what each kind means for them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How it stands now; the words are the tokens of statuses (portal/formatting.py)."""

    GOOD = "ready"
    NEWS = "progress"
    LOOK = "attention"
    BAD = "failed"


class Kind(StrEnum):
    """What happened; a webhook's `type` is the same word. At most 20 characters."""

    DEPLOYMENT_DONE = "deployment.done"
    DEPLOYMENT_FAILED = "deployment.failed"
    DOMAIN_VERIFIED = "domain.verified"
    DOMAIN_FAILING = "domain.failing"
    DOMAIN_RECOVERED = "domain.recovered"
    DOMAIN_AT_RISK = "domain.at_risk"
    DOMAIN_LOST = "domain.lost"
    DOMAIN_CONTESTED = "domain.contested"
    DOMAIN_PAUSED = "domain.paused"
    CERTIFICATE_EXPIRING = "certificate.expiring"
    CERTIFICATE_FAILING = "certificate.failing"
    BUDGET_NEARLY_USED = "budget.nearly_used"
    BUDGET_USED_UP = "budget.used_up"
    ERRORS_UNUSUAL = "errors.unusual"
    KEY_USED_ELSEWHERE = "key.used_elsewhere"
    NEW_SIGN_IN = "sign_in.new"
    WEBHOOK_OFF = "webhook.switched_off"
    AUDIT_LOG_ALTERED = "audit_log.altered"
    REPORT = "report.monthly"


class Way(StrEnum):
    """How a person wants to be told: by mail and in the portal, in the portal only, not at all."""

    MAIL = "mail"
    PORTAL = "portal"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Rule:
    """What holds for a kind where a person has not chosen.

    Admins get a mail with `admins_by_mail`; who is concerned (the person who deployed, who added
    the domain) always does. `is_security`: the mail cannot be switched off. `for_admins`: nobody
    else is told. `is_personal`: told to one person, and to no webhook.
    """

    label: str
    group: str
    admins_by_mail: bool = True
    is_security: bool = False
    for_admins: bool = False
    is_personal: bool = False


DEPLOYMENTS, DOMAINS, CERTIFICATES = "Deployments", "Custom domains", "Certificates"
USE, SECURITY = "Use", "Security"
RULES = {
    Kind.DEPLOYMENT_DONE: Rule("A deployment is done", DEPLOYMENTS, admins_by_mail=False),
    Kind.DEPLOYMENT_FAILED: Rule("A deployment failed", DEPLOYMENTS, admins_by_mail=False),
    Kind.DOMAIN_VERIFIED: Rule("A domain is verified", DOMAINS),
    Kind.DOMAIN_FAILING: Rule("A domain does not pass its checks any more", DOMAINS),
    Kind.DOMAIN_RECOVERED: Rule("A domain passes its checks again", DOMAINS),
    Kind.DOMAIN_AT_RISK: Rule("A domain is at risk", DOMAINS),
    Kind.DOMAIN_LOST: Rule("A domain is lost", DOMAINS),
    Kind.DOMAIN_CONTESTED: Rule("Another account claims a domain", DOMAINS),
    Kind.DOMAIN_PAUSED: Rule("A domain is not looked at any more", DOMAINS),
    Kind.CERTIFICATE_EXPIRING: Rule("A certificate expires soon or has expired", CERTIFICATES),
    Kind.CERTIFICATE_FAILING: Rule("A certificate cannot be got or renewed", CERTIFICATES),
    Kind.BUDGET_NEARLY_USED: Rule("80% of a budget is used", USE),
    Kind.BUDGET_USED_UP: Rule("A budget is used up", USE),
    Kind.ERRORS_UNUSUAL: Rule("A client fails far more often than usual", USE),
    Kind.REPORT: Rule("The report of a month", USE),
    Kind.NEW_SIGN_IN: Rule(
        "You signed in from a new browser or network", SECURITY, is_security=True, is_personal=True
    ),
    Kind.KEY_USED_ELSEWHERE: Rule(
        "An API key is used from a new network", SECURITY, is_security=True
    ),
    Kind.WEBHOOK_OFF: Rule("A webhook was switched off", SECURITY, for_admins=True),
    Kind.AUDIT_LOG_ALTERED: Rule(
        "An audit log was altered, told to who runs the portal",
        SECURITY,
        is_security=True,
        is_personal=True,
    ),
}
# What an account's webhook may be sent.
FOR_WEBHOOKS = tuple(kind for kind in Kind if not RULES[kind].is_personal)


def default_way(kind: Kind, *, is_admin: bool) -> Way:
    """How a person who has not chosen is told of what does not concern them above others."""
    rule = RULES[kind]
    return Way.MAIL if rule.is_personal or (is_admin and rule.admins_by_mail) else Way.PORTAL
