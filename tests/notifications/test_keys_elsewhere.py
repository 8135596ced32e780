"""A key that is used from a new network is told of, and prompts stay cheap."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from portal.accounts.models import User
from portal.database import db
from portal.notifications import keys_elsewhere
from portal.request_history import key_networks
from portal.request_history.key_networks import APIKeyNetwork, hash_of, network_of
from portal.vault import keys
from tests.notifications.conftest import NOON, mails, notices
from tests.people import People

Use = Callable[..., int]


@pytest.fixture
def key_id(database: None, people: People) -> int:
    """A key of Bob's."""
    key_networks._known.clear()
    bob = db.session.get_one(User, people.bob.user_id)
    made = keys.make(people.alice.account_id, "The website", bob, None)
    db.session.commit()
    return made.row.id


@pytest.fixture
def use(key_id: int) -> Use:
    """Use the key from addresses, one batch for each; how many statements that took."""

    def used(*addresses: str, commit: bool = True) -> int:
        statements = []

        def count(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            if statement.startswith("INSERT"):
                statements.append(statement)

        with db.engine.connect() as connection:
            event.listen(connection, "before_cursor_execute", count)
            for address in addresses:
                key_networks.note(connection, [(key_id, hash_of(key_id, address, "salt"))])
                if commit:
                    connection.commit()
        return len(statements)

    return used


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:7:1::9", "2001:db8:7::/48"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_networks(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.engine_independent
def test_two_keys_in_one_network_have_nothing_in_common() -> None:
    assert hash_of(1, "192.0.2.7", "salt") != hash_of(2, "192.0.2.7", "salt")
    assert hash_of(1, "192.0.2.7", "salt") == hash_of(1, "192.0.2.9", "salt")
    assert "192.0.2" not in hash_of(1, "192.0.2.7", "salt")


def test_a_network_that_is_known_costs_no_statement(use: Use) -> None:
    assert use("192.0.2.7", "192.0.2.8") == 2
    assert use(*["192.0.2.7"] * 20) == 0
    assert use("198.51.100.1") == 1


def test_what_is_rolled_back_is_noted_with_the_next_request(use: Use) -> None:
    use("192.0.2.7", commit=False)
    use("192.0.2.7")
    assert len(db.session.scalars(db.select(APIKeyNetwork)).all()) == 1


def test_the_first_network_is_nothing_new_and_the_second_is_told_once(
    use: Use, people: People
) -> None:
    use("192.0.2.7")
    keys_elsewhere.look(NOON)
    assert notices() == []
    db.session.rollback()
    use("192.0.2.99", "198.51.100.1")
    for _ in range(3):
        keys_elsewhere.look(NOON)
    [notice] = notices()
    assert notice.subject == "The API key The website is used from a new network"
    assert [mail.user_id for mail in mails()] == [people.alice.user_id, people.bob.user_id]
    assert "198.51" not in mails()[0].text


def test_of_a_key_in_many_networks_five_are_told_in_thirty_days(use: Use) -> None:
    use(*(f"10.0.{number}.1" for number in range(12)))
    keys_elsewhere.look(NOON)
    assert len(notices()) == 5
    assert [keys_elsewhere.NO_MORE in notice.text for notice in notices()] == [False] * 4 + [True]
    db.session.rollback()
    use("10.1.1.1")
    keys_elsewhere.look(NOON + timedelta(days=31))
    assert len(notices()) == 6
