"""Mails about custom domains: verified, failing, at risk, lost, contested, given up."""

from __future__ import annotations

from datetime import datetime

from portal.accounts.mails import is_member, mail_to, mails_to_admins
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.names import unicode_form
from portal.custom_domains.notices import Notices, on_notice
from portal.database import current_settings, db

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
    """To the admins and to whoever added the domain, in the transaction of what happened."""
    account_id, person = custom_domain.account_id, custom_domain.added_by
    subject = SUBJECTS[notice].format(name=unicode_form(custom_domain.domain_name))
    page_url = f"{current_settings().platform_url}/custom-domains/{custom_domain.id}/"
    text = f"{message}\n\nSee what was found, and what to do: {page_url}\n"
    mails = mails_to_admins(account_id, subject, text, now)
    told = {mail.user_id for mail in mails}
    if person is not None and person.id not in told and is_member(person, account_id):
        mails.append(mail_to(person, account_id, subject, text, now))
    db.session.add_all(mails)
