"""Mails about domains: to the account's admins and to whoever added it, once each."""

from __future__ import annotations

import pytest

from portal.accounts.mails import Mail
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.notices import Notices, announce_notice
from portal.database import db, utc_now
from tests.people import People, Person
from tests.planes import Planes


def announced(planes: Planes, by: Person, account_id: int, notice: Notices) -> list[Mail]:
    """The mails that a notice about a domain leads to."""
    now = utc_now()
    with planes.worker.app_context():
        domain = LLMClientCustomDomain(
            account_id=account_id, domain_name="xn--bcherwelt-q9a.example", added_by_id=by.user_id
        )
        db.session.add(domain)
        db.session.flush()
        announce_notice(domain, notice, "The TXT record is gone.", now)
        db.session.commit()
        return list(db.session.scalars(db.select(Mail).order_by(Mail.id)))


@pytest.mark.parametrize("notice", Notices)
def test_both_people_are_told_what_happened_and_where_to_look(
    planes: Planes, people: People, notice: Notices
) -> None:
    mails = announced(planes, people.bob, people.alice.account_id, notice)
    assert [mail.user_id for mail in mails] == [people.alice.user_id, people.bob.user_id]
    for mail in mails:
        assert "bücherwelt.example" in mail.subject
        assert mail.text.startswith("The TXT record is gone.")
        assert f"{planes.settings.platform_url}/custom-domains/" in mail.text


def test_one_person_gets_one_mail(planes: Planes, people: People) -> None:
    mails = announced(planes, people.alice, people.alice.account_id, Notices.AT_RISK)
    assert len(mails) == 1
