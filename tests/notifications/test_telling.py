"""Telling people: one notice, and a mail for each of those who want one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.accounts.models import Role, User, UserProfile
from portal.database import db, utc_now
from portal.notices.kinds import RULES, Kind, Way, default_way
from portal.notices.models import NoticePreference
from tests.notifications.conftest import NOON, Tell, mails, notices
from tests.people import People, Person
from tests.planes import Planes


def wish(person: Person, kind: Kind, way: Way) -> None:
    db.session.add(NoticePreference(user_id=person.user_id, kind=kind, way=way))
    db.session.commit()


def readers() -> list[int | None]:
    return [mail.user_id for mail in mails()]


def test_admins_get_a_mail_that_leads_to_the_page(
    told: Tell, people: People, planes: Planes
) -> None:
    told()
    [mail] = mails()
    assert mail.user_id == people.alice.user_id
    assert mail.subject == "lakeside.example does not pass its checks any more"
    assert mail.text.startswith("The TXT record is gone.\n\n")
    assert f"{planes.settings.platform_url}/custom-domains/" in mail.text


def test_who_is_concerned_gets_a_mail_too_and_nobody_gets_two(told: Tell, people: People) -> None:
    told(concerned=(people.bob.user_id, people.alice.user_id, None))
    assert readers() == [people.alice.user_id, people.bob.user_id]


def test_people_choose(told: Tell, people: People) -> None:
    wish(people.alice, Kind.DOMAIN_FAILING, Way.PORTAL)
    wish(people.vera, Kind.DOMAIN_FAILING, Way.MAIL)
    wish(people.bob, Kind.DOMAIN_FAILING, Way.NOTHING)
    told(concerned=(people.bob.user_id,))
    assert readers() == [people.vera.user_id]


def test_mails_about_security_cannot_be_switched_off(told: Tell, people: People) -> None:
    wish(people.alice, Kind.KEY_USED_ELSEWHERE, Way.NOTHING)
    told(kind=Kind.KEY_USED_ELSEWHERE)
    assert readers() == [people.alice.user_id]


def test_what_is_about_one_person_is_told_to_that_person(told: Tell, people: People) -> None:
    told(kind=Kind.NEW_SIGN_IN, only_for=people.vera.user_id)
    assert readers() == [people.vera.user_id]


def test_what_is_for_admins_is_mailed_to_nobody_else(told: Tell, people: People) -> None:
    wish(people.bob, Kind.WEBHOOK_OFF, Way.MAIL)
    told(kind=Kind.WEBHOOK_OFF, concerned=(people.bob.user_id,))
    assert readers() == [people.alice.user_id]


def test_who_left_gets_nothing_and_a_guest_only_of_what_concerns_them(
    told: Tell, people: People
) -> None:
    bob = db.session.get_one(UserProfile, people.bob.profile_id)
    vera = db.session.get_one(UserProfile, people.vera.profile_id)
    bob.removed_at, vera.is_guest, vera.role = utc_now(), True, Role.ADMIN
    db.session.commit()
    told(concerned=(people.bob.user_id,))
    assert readers() == [people.alice.user_id]
    told(concerned=(people.vera.user_id,))
    assert readers()[1:] == [people.alice.user_id, people.vera.user_id]


def test_a_stranger_is_told_nothing(told: Tell, people: People) -> None:
    told(concerned=(people.charlie.user_id,))
    assert people.charlie.user_id not in readers()


def test_what_has_a_key_of_its_own_is_told_once(told: Tell) -> None:
    assert told(once_key="report/2026-10") is not None
    assert told(NOON + timedelta(days=9), once_key="report/2026-10") is None
    assert told(once_key="report/2026-11") is not None
    assert len(mails()) == len(notices()) == 2


def test_without_a_commit_nothing_was_told(told: Tell) -> None:
    told()
    db.session.rollback()
    assert len(mails()) == len(notices()) == 1


@pytest.mark.engine_independent
def test_every_kind_has_a_rule_and_fits_its_column() -> None:
    assert set(RULES) == set(Kind)
    assert max(len(kind) for kind in Kind) <= 20
    for kind in Kind:
        assert default_way(kind, is_admin=False) in (Way.PORTAL, Way.MAIL)
        if RULES[kind].is_security:
            assert default_way(kind, is_admin=True) == Way.MAIL


def test_a_mail_waits_for_a_server_only_where_there_is_an_address(
    told: Tell, people: People
) -> None:
    db.session.get_one(User, people.alice.user_id).email = ""
    db.session.commit()
    told()
    assert mails()[0].next_attempt_at is None
