"""Mails about custom domains: verified, failing, at risk, lost, contested, given up."""

from __future__ import annotations

from datetime import datetime

from portal.accounts.models import User
from portal.adapters import current_adapters
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.names import unicode_form
from portal.custom_domains.notices import Notices, on_notice
from portal.database import current_settings, db
from portal.notifications.models import Mail

SUBJECTS = {
    Notices.VERIFIED: "{name} is verified",
    Notices.FAILING: "{name} does not pass its checks any more",
    Notices.RECOVERED: "{name} passes its checks again",
    Notices.AT_RISK: "{name} is at risk",
    Notices.LOST: "{name} is not yours any more",
    Notices.CONTESTED: "Another account claims {name}",
    Notices.PAUSED: "We have stopped looking at {name}",
}


@on_notice
def write_mails(
    custom_domain: LLMClientCustomDomain, notice: Notices, message: str, now: datetime
) -> None:
    """One mail for each person who may care, in the transaction of what happened."""
    db.session.add_all(
        _mail(custom_domain, notice, message, person, now) for person in _people(custom_domain)
    )


def _people(custom_domain: LLMClientCustomDomain) -> list[User]:
    """Whoever added the domain, and the admin of the account."""
    admin = custom_domain.account.admin_profile
    found = [custom_domain.added_by, admin.user if admin else None]
    return list({person.id: person for person in found if person is not None}.values())


def _mail(
    custom_domain: LLMClientCustomDomain,
    notice: Notices,
    message: str,
    person: User,
    now: datetime,
) -> Mail:
    page_url = f"{current_settings().platform_url}/custom-domains/{custom_domain.id}/"
    can_leave = bool(person.email and current_adapters().mail_sender)
    name = unicode_form(custom_domain.domain_name)
    return Mail(
        account_id=custom_domain.account_id,
        user_id=person.id,
        to_address=person.email,
        subject=SUBJECTS[notice].format(name=name)[:255],
        text=f"{message}\n\nSee what was found, and what to do: {page_url}\n",
        next_attempt_at=now if can_leave else None,
    )
