"""A sign-in from a browser or network that a person has not used lately is told to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.accounts import signing_in
from portal.accounts.mails import Mail
from portal.accounts.models import User
from portal.database import db
from portal.notices.models import Notice
from portal.people import recognising
from tests.people import PASSWORD, People

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture
def vera(database: None, people: People) -> User:
    """She has signed in once, with Firefox 140."""
    user = db.session.get_one(User, people.vera.user_id)
    signing_in.open_session(user, "192.0.2.7", FIREFOX.format(140, 140), NOON)
    db.session.commit()
    return user


@pytest.mark.parametrize(
    ("address", "agent", "later", "is_new"),
    [
        ("192.0.2.7", FIREFOX.format(140, 140), DAY, False),
        ("192.0.2.200", FIREFOX.format(151, 151), DAY, False),
        ("::ffff:192.0.2.9", FIREFOX.format(140, 140), DAY, False),
        ("192.0.3.7", FIREFOX.format(140, 140), DAY, True),
        ("192.0.2.7", CHROME, DAY, True),
        ("2001:db8::1", FIREFOX.format(140, 140), DAY, True),
        ("192.0.2.7", FIREFOX.format(140, 140), 89 * DAY, False),
        ("192.0.2.7", FIREFOX.format(140, 140), 91 * DAY, True),
    ],
)
def test_browser_and_network_together_are_known_for_ninety_days(
    vera: User, address: str, agent: str, later: timedelta, is_new: bool
) -> None:
    assert recognising.is_new(vera, address, agent, NOON + later) is is_new


def test_a_first_session_is_nothing_new(database: None, people: People) -> None:
    bob = db.session.get_one(User, people.bob.user_id)
    assert not recognising.is_new(bob, "192.0.2.7", CHROME, NOON)


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:7:1::9", "2001:db8:7::/48"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_a_network_is_the_beginning_of_an_address(address: str, network: str) -> None:
    assert recognising.network_of(address) == network


def test_the_person_alone_is_told_once(vera: User, people: People) -> None:
    db.session.rollback()
    for _ in range(2):
        values = {"username": "vera", "password": PASSWORD}
        people.browser().post("/login", values)
    mails = db.session.scalars(db.select(Mail)).all()
    assert [mail.user_id for mail in mails] == [people.vera.user_id]
    assert "127.0.0.1" in mails[0].text
    assert db.session.scalars(db.select(Notice.user_id)).all() == [people.vera.user_id]
    db.session.rollback()
    told = "vera signed in from a new browser or network"
    assert told in people.browser(people.vera).get("/notifications/").words
    assert told not in people.browser(people.alice).get("/notifications/").words
