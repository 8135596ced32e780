"""Sending a mail by SMTP; knows no portal model."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol
from urllib.parse import unquote, urlsplit

from portal.errors import AdapterError
from portal.service_urls import is_this_machine, wants_plain

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Letter:
    """One mail as text, and as HTML where there is some. `message_id` stays at each sending."""

    to: str
    subject: str
    text: str
    message_id: str
    html: str = ""


class MailSender(Protocol):
    """Hands a letter over; raises AdapterError when it was not taken."""

    def send(self, letter: Letter) -> None: ...


class SmtpSender:
    """`smtp://user:password@host:587?from=portal@example.com`, or `smtps://` for TLS at once.

    A server elsewhere has to offer STARTTLS, unless the URL says `plain=yes`.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
        self._implicit_tls = parts.scheme == "smtps"
        self._host = parts.hostname or "localhost"
        self._may_be_plain = is_this_machine(self._host) or wants_plain(url)
        self._port = parts.port or (465 if self._implicit_tls else 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._from = unquote(query.get("from", f"portal@{self._host}"))

    def send(self, letter: Letter) -> None:
        """Deliver to the server. Raises AdapterError; `permanent` when it refused the address."""
        try:
            with self._connection() as server:
                self._secure(server)
                server.send_message(self._message(letter))
        except smtplib.SMTPRecipientsRefused as error:
            detail = str(error)
            raise AdapterError(
                "The mail server refused the address.",
                reason="refused",
                permanent=True,
                detail=detail,
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            raise AdapterError(
                "The mail server did not take the mail.", reason="unreachable", detail=str(error)
            ) from error

    def _connection(self) -> smtplib.SMTP:
        if self._implicit_tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT_SECONDS, context=context
            )
        return smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        has_tls = self._implicit_tls or server.has_extn("starttls")
        if not has_tls and not self._may_be_plain:
            raise AdapterError("The mail server offers no TLS.", reason="no_tls")
        if not self._implicit_tls and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if self._user:
            server.login(self._user, self._password)

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._from, letter.to
        message["Subject"] = " ".join(letter.subject.split())
        message["Message-ID"] = f"<{letter.message_id}@{self._host}>"
        message["Date"] = formatdate()
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: answers by itself go nowhere
        message.set_content(letter.text)
        if letter.html:
            message.add_alternative(letter.html, subtype="html")
        return message
