"""Notices about custom domains: verified, failing, at risk, lost, contested, given up."""

from __future__ import annotations

from datetime import datetime

from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.names import unicode_form
from portal.custom_domains.notices import Notices, on_notice
from portal.notices.kinds import Kind, Level
from portal.notices.telling import News, tell

TOLD = {
    Notices.VERIFIED: (Kind.DOMAIN_VERIFIED, Level.GOOD, "{name} is verified"),
    Notices.FAILING: (
        Kind.DOMAIN_FAILING,
        Level.BAD,
        "{name} does not pass its checks any more",
    ),
    Notices.RECOVERED: (Kind.DOMAIN_RECOVERED, Level.GOOD, "{name} passes its checks again"),
    Notices.AT_RISK: (Kind.DOMAIN_AT_RISK, Level.LOOK, "{name} is at risk"),
    Notices.LOST: (Kind.DOMAIN_LOST, Level.BAD, "{name} is not yours any more"),
    Notices.CONTESTED: (Kind.DOMAIN_CONTESTED, Level.LOOK, "Another account claims {name}"),
    Notices.PAUSED: (Kind.DOMAIN_PAUSED, Level.LOOK, "We have stopped looking at {name}"),
}
# These come and go by themselves, and together count as one thing that flaps.
FLAPPING = (Notices.VERIFIED, Notices.FAILING, Notices.RECOVERED, Notices.AT_RISK)


@on_notice
def tell_of_domain(
    custom_domain: LLMClientCustomDomain, notice: Notices, message: str, now: datetime
) -> None:
    """To the admins and to whoever added the domain, in the transaction of what happened."""
    kind, level, subject = TOLD[notice]
    name = unicode_form(custom_domain.domain_name)
    news = News(
        kind=kind,
        level=level,
        subject=subject.format(name=name),
        text=message,
        path=f"/custom-domains/{custom_domain.id}/",
        about=custom_domain,
        name=name,
        concerned=(custom_domain.added_by_id,),
        damping_key=f"domain/{custom_domain.id}" if notice in FLAPPING else "",
    )
    tell(custom_domain.account_id, news, now)
