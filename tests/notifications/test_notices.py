"""Mails about deployments: written once, sent when a server takes them, kept when not."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest
from flask import current_app

from portal.accounts.mails import Mail
from portal.accounts.models import User
from portal.adapters import current_adapters
from portal.database import db, utc_now
from portal.errors import AdapterError
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.notifications import jobs
from portal.smtp import Letter, SmtpSender
from tests.people import MakeClient, People

Stored = Callable[[str], LLMClient]


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mails by SMTP (RFC 5321), or refuses what it is told to refuse."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.taken: list[str] = []
        self.refused: set[str] = set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}?from=portal@example.com"


class _Session(socketserver.StreamRequestHandler):
    server: MailServer
    answers: ClassVar[dict[str, str]] = {"QUIT": "221 bye", "EHLO": "250 here", "MAIL": "250 ok"}

    def handle(self) -> None:
        self.say("220 ready")
        for line in self.rfile:
            words = line.decode().strip()
            verb = words[:4].upper()
            if verb == "RCPT":
                is_refused = any(name in words for name in self.server.refused)
                self.say("550 nobody here" if is_refused else "250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                self.take()
            else:
                self.say(self.answers.get(verb, "250 ok"))
            if verb == "QUIT":
                return

    def take(self) -> None:
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        self.server.taken.append("\n".join(lines))
        self.say("250 taken")

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


@pytest.fixture
def with_mail(database: None, mail_server: MailServer) -> Iterator[MailServer]:
    """The portal with a mail server."""
    before = current_adapters()
    sender = SmtpSender(mail_server.url)
    current_app.extensions["portal_adapters"] = replace(before, mail_sender=sender)
    yield mail_server
    current_app.extensions["portal_adapters"] = before


def ended_run(people: People, llm_client: LLMClient, state: str, address: str = "") -> Deployment:
    """A deployment by Alice that ended in `state`."""
    alice = db.session.get_one(User, people.alice.user_id)
    alice.email = address
    run = deployment.begin(llm_client, Deployment.Kinds.DEPLOY, utc_now(), alice)
    run.message, run.who_acts = "The zone refused the record.", "platform"
    deployment._end(run, Deployment.States(state), utc_now())
    db.session.commit()
    return run


def mails() -> list[Mail]:
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(db.select(Mail).order_by(Mail.id)))


def test_a_failed_deployment_is_told_with_its_reason_and_who_acts(
    people: People, make_client: MakeClient, stored: Stored
) -> None:
    run = ended_run(people, stored(make_client("guide")), "failed")
    jobs.write_notice(run.id)
    [mail] = mails()
    assert mail.subject == "guide could not be deployed"
    assert "The zone refused the record." in mail.text
    assert "has to act" in mail.text
    assert "/llm-clients/" in mail.text
    assert mail.next_attempt_at is None, "there is no mail server"


def test_a_notice_is_written_once_however_often_it_is_rung_for(
    people: People, make_client: MakeClient, stored: Stored
) -> None:
    run = ended_run(people, stored(make_client("guide")), "done")
    assert [ring.arguments for ring in jobs.ended_deployments(utc_now())] == [(run.id,)]
    for _ in range(3):
        jobs.write_notice(run.id)
    assert [mail.subject for mail in mails()] == ["guide is ready"]
    assert list(jobs.ended_deployments(utc_now())) == []


def test_what_somebody_cancelled_needs_no_mail(
    people: People, make_client: MakeClient, stored: Stored
) -> None:
    run = ended_run(people, stored(make_client("guide")), "cancelled")
    jobs.write_notice(run.id)
    assert mails() == []


def test_a_mail_leaves_once_and_is_marked(
    with_mail: MailServer, people: People, make_client: MakeClient, stored: Stored
) -> None:
    run = ended_run(people, stored(make_client("guide")), "done", "alice@example.com")
    jobs.write_notice(run.id)
    [mail] = mails()
    for _ in range(2):
        jobs.send_mail(mail.id)
    [sent] = mails()
    assert sent.sent_at is not None
    [text] = with_mail.taken
    assert "To: alice@example.com" in text
    assert "Subject: guide is ready" in text


def test_an_address_that_is_refused_is_not_tried_again(
    with_mail: MailServer, people: People, make_client: MakeClient, stored: Stored
) -> None:
    with_mail.refused.add("alice@example.com")
    run = ended_run(people, stored(make_client("guide")), "done", "alice@example.com")
    jobs.write_notice(run.id)
    jobs.send_mail(mails()[0].id)
    [mail] = mails()
    assert mail.sent_at is None
    assert mail.next_attempt_at is None
    assert mail.message == "The mail server refused the address."


def test_a_server_that_is_away_is_tried_again_for_a_day(database: None) -> None:
    now = utc_now()
    mail = Mail(account_id=1, subject="s", text="t", attempt=0)
    away = AdapterError("The mail server did not take the mail.", reason="unreachable")
    waited = timedelta(0)
    while True:
        jobs.record(mail, away, now + waited)
        if mail.next_attempt_at is None:
            break
        waited = mail.next_attempt_at - now
    assert timedelta(hours=20) < waited < timedelta(hours=30)


@pytest.mark.engine_independent
def test_a_line_break_in_a_subject_cannot_add_a_header(mail_server: MailServer) -> None:
    sender = SmtpSender(mail_server.url)
    sender.send(Letter("a@example.com", "Hi\r\nBcc: evil@example.com", "text", "id"))
    assert "Bcc" not in mail_server.taken[0].partition("\n\n")[0].replace("Hi Bcc", "")


@pytest.mark.engine_independent
def test_nobody_at_the_port_is_an_adapter_error() -> None:
    with pytest.raises(AdapterError) as caught:
        SmtpSender("smtp://127.0.0.1:1").send(Letter("a@example.com", "s", "t", "id"))
    assert not caught.value.permanent


def test_the_outbox_shows_only_the_accounts_own_mails(
    people: People, make_client: MakeClient, stored: Stored
) -> None:
    run = ended_run(people, stored(make_client("guide")), "done")
    jobs.write_notice(run.id)
    assert "guide is ready" in people.browser(people.vera).get("/notifications/").words
    assert "guide is ready" not in people.browser(people.charlie).get("/notifications/").words
