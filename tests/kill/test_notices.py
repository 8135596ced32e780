"""Whoever tells people is killed again and again: each event is told once, nobody misses one."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from portal.accounts.mails import Mail
from portal.accounts.models import Account
from portal.database import db, reading, utc_now
from portal.llm_clients import registration, revisions
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.notices import webhooks
from portal.notices.kinds import Kind, Level
from portal.notices.models import Notice
from portal.notices.webhook_models import WebhookDelivery
from tests.http_double import HttpDouble
from tests.kill.labour import at_work
from tests.kill.mailbox import Mailbox
from tests.kill.own_portal import environ_of, prepared
from tests.kill.running_portal import wait_until

EVENTS, FLAPPING, TIMES, KILLS = 30, 5, 4, 20


class Program(HttpDouble):
    """Takes every message, and keeps its id and what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def reply(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str, bytes]:
        with self._lock:
            self.taken.append((headers["webhook-id"], body.decode()))
        return 204, "text/plain", b""


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    found = Mailbox()
    yield found
    found.stop()


@pytest.fixture
def program() -> Iterator[Program]:
    found = Program()
    yield found
    found.stop()


def fill(program: Program) -> None:
    """Deployments that failed and of which nobody was told, and notices that are held."""
    account = db.session.scalars(db.select(Account)).one()
    profile = account.admin_profile
    assert profile is not None
    profile.user.email = "admin@example.com"
    llm_client = LLMClient(
        account=account, account_id=account.id, name="guide", user_profile=profile
    )
    llm_client.default_model, llm_client.default_system_role = "demo", "You help."
    registration.register(llm_client, profile.user)
    revisions.take(llm_client, profile.user)
    kinds = [str(Kind.DEPLOYMENT_FAILED), str(Kind.DOMAIN_FAILING)]
    webhooks.make(account.id, "program", program.url, kinds)
    for number in range(EVENTS):
        db.session.add(failed(llm_client, number))
    for number in range(FLAPPING * TIMES):
        db.session.add(held(account.id, number % FLAPPING))
    db.session.commit()


def failed(llm_client: LLMClient, number: int) -> Deployment:
    now = utc_now()
    return Deployment(
        llm_client_id=llm_client.id,
        kind=Deployment.Kinds.DEPLOY,
        state=Deployment.States.FAILED,
        message=f"Event {number:03d} happened.",
        started_at=now,
        finished_at=now,
        started_by_id=llm_client.user_profile.user_id,
    )


def held(account_id: int, number: int) -> Notice:
    now = utc_now()
    return Notice(
        account_id=account_id,
        kind=Kind.DOMAIN_FAILING,
        level=Level.BAD,
        subject=f"flapping {number}",
        text=f"Event {900 + number} happened.",
        path="/",
        object_name=f"flapping {number}",
        damping_key=f"domain/{number}",
        held_until=now,
        created_at=now - timedelta(minutes=2),
    )


def is_done() -> bool:
    """Nothing is left to tell, to send or to deliver."""
    left = [
        db.select(Deployment.id).where(Deployment.notified_at.is_(None)),
        db.select(Notice.id).where(Notice.held_until.is_not(None)),
        db.select(Mail.id).where(Mail.sent_at.is_(None)),
        db.select(WebhookDelivery.id).where(WebhookDelivery.delivered_at.is_(None)),
    ]
    with reading():
        found = any(db.session.scalar(query.limit(1)) for query in left)
        db.session.rollback()
    return not found


def written() -> tuple[int, int]:
    """How many notices are told, and how many mails have left."""
    with reading():
        notices = db.session.scalar(db.select(db.func.count(Notice.id)))
        mails = db.session.scalar(db.select(db.func.count(Mail.sent_at)))
        db.session.rollback()
    return notices or 0, mails or 0


def events_in(texts: list[str]) -> Counter[str]:
    """How often each event is told of."""
    return Counter(found for text in texts for found in re.findall(r"Event (\d{3}) happened", text))


def test_each_event_is_told_once_and_mails_and_messages_leave_at_least_once(
    tmp_path: Path, request: pytest.FixtureRequest, mailbox: Mailbox, program: Program
) -> None:
    environ = environ_of(tmp_path / "data", request, PORTAL_SMTP_URL=mailbox.url)
    app = prepared(environ)
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311 - no secret
    expected = {f"{number:03d}" for number in (*range(EVENTS), *range(900, 900 + FLAPPING))}
    with app.app_context():
        fill(program)
        seen = set()
        with at_work("jobs", environ, chance) as labourer:
            while labourer.kills < KILLS:
                labourer.kill_soon(0.03, pieces=10)
                seen.add(written())
            wait_until(is_done, 20)
        print(sorted(seen))
        assert len(seen) > 3, "nothing was told between the kills"
        notices = list(db.session.scalars(db.select(Notice).order_by(Notice.id)))
        mails = list(db.session.scalars(db.select(Mail)))
        deliveries = list(db.session.scalars(db.select(WebhookDelivery)))
        assert events_in([one.text for one in notices]) == dict.fromkeys(expected, 1)
        gathered = [one.gathered for one in notices if one.damping_key]
        assert gathered == [TIMES] * FLAPPING
        assert sorted(one.notice_id or 0 for one in mails) == [one.id for one in notices]
        assert sorted(one.notice_id or 0 for one in deliveries) == [one.id for one in notices]
        db.session.remove()
        db.engine.dispose()
        names = {f"<portal-mail-{one.id}@127.0.0.1>" for one in mails}
        assert {letter["Message-ID"] for letter in mailbox.letters} == names
        assert {message_id for message_id, _ in program.taken} == {
            one.message_id for one in deliveries
        }
        # what was sent twice is the same letter and the same message, so that it can be told
        assert len(mailbox.letters) <= len(names) + KILLS
        assert set(events_in([body for _, body in set(program.taken)]).values()) == {1}
