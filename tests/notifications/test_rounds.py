"""Rounds that come again: made when due, by one worker, and old things cleared away."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine

from portal.database import db
from portal.notices import webhooks
from portal.notices.kinds import Kind
from portal.notices.models import NoticeRound
from portal.notices.webhook_models import WebhookDelivery
from portal.notifications import clearing, rounds
from tests.notifications.conftest import NOON, Tell, mails, notices
from tests.people import People

DAY = timedelta(days=1)


def due(now: datetime) -> list[str]:
    names = [ring.name.partition(".")[2] for ring in rounds.due_rounds(now)]
    db.session.rollback()
    return names


@pytest.mark.usefixtures("database")
def test_they_begin_by_themselves_and_come_again(
    time_machine: time_machine.TimeMachineFixture,
) -> None:
    time_machine.move_to(NOON, tick=False)
    assert due(NOON) == ["begin_rounds"]
    for _ in range(2):
        rounds.begin_rounds()
    assert due(NOON) == ["make_round"] * len(rounds.ROUNDS)
    for row_id in db.session.scalars(db.select(NoticeRound.id)).all() * 2:
        rounds.make_round(row_id)
    assert due(NOON) == []
    assert due(NOON + timedelta(minutes=4)) == ["make_round"]
    assert due(NOON + timedelta(minutes=5)) == ["make_round"] * 2
    assert len(due(NOON + timedelta(hours=1))) == len(rounds.ROUNDS)


def test_old_notices_and_old_messages_go_and_mails_stay(told: Tell, people: People) -> None:
    account_id = people.alice.account_id
    webhooks.make(account_id, "Room", "https://example.com", [Kind.DOMAIN_FAILING.value])
    for days in (0, 29, 31, 89, 91):
        told(NOON - days * DAY)
    assert clearing.clear_away(NOON)
    assert len(notices()) == 4
    assert len(db.session.scalars(db.select(WebhookDelivery)).all()) == 2
    assert len(mails()) == 5


def test_the_secret_before_is_forgotten_when_its_day_is_over(
    database: None, people: People
) -> None:
    webhook, _ = webhooks.make(people.alice.account_id, "Room", "https://example.com", ["x"])
    webhooks.rotate(webhook, NOON)
    db.session.commit()
    clearing.clear_away(NOON + timedelta(hours=23))
    db.session.refresh(webhook)
    assert len(webhooks.secrets_of(webhook, NOON)) == 2
    clearing.clear_away(NOON + timedelta(hours=25))
    db.session.refresh(webhook)
    assert webhook.sealed_old_secret == ""
