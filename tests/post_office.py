"""A portal that has a mail server: letters are kept, and their links found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from portal.accounts.mails import Mail
from portal.database import db
from portal.job_queue import perform
from portal.smtp import Letter
from tests.planes import Planes


@dataclass(frozen=True)
class Received:
    """One letter as it arrived."""

    to: str
    subject: str
    text: str

    @property
    def link(self) -> str:
        """The one link in it."""
        [found] = re.findall(r"https?://\S+", self.text)
        return str(found)


class PostOffice:
    """Takes letters as a mail server would."""

    def __init__(self, planes: Planes) -> None:
        self._planes = planes
        self.taken: list[Received] = []

    def send(self, letter: Letter) -> None:
        self.taken.append(Received(letter.to, letter.subject, letter.text))

    def deliver(self) -> list[Received]:
        """Do what the worker would: hand over every mail that is due; those of now."""
        before = len(self.taken)
        with self._planes.worker.app_context():
            due = db.session.scalars(
                db.select(Mail.id).where(Mail.next_attempt_at.is_not(None)).order_by(Mail.id)
            ).all()
            db.session.rollback()
            for mail_id in due:
                perform("notifications.send_mail", mail_id)
        return self.taken[before:]


@pytest.fixture
def post_office(planes: Planes) -> Iterator[PostOffice]:
    """Pages and jobs hand their letters to it."""
    office = PostOffice(planes)
    apps = planes.admin, planes.worker
    before = [app.extensions["portal_adapters"] for app in apps]
    for app, adapters in zip(apps, before, strict=True):
        app.extensions["portal_adapters"] = replace(adapters, mail_sender=office)
    yield office
    for app, adapters in zip(apps, before, strict=True):
        app.extensions["portal_adapters"] = adapters
