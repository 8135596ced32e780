"""Outside of `local`, services elsewhere are reached by TLS, or the portal does not start."""

from __future__ import annotations

import socket
import threading

import pytest

from portal import service_urls
from portal.errors import AdapterError
from portal.settings import Settings, SettingsError
from portal.smtp import Letter, SmtpSender
from tests.accounts.test_first_run import PRODUCTION

pytestmark = pytest.mark.engine_independent

DATABASE, REDIS, MAIL = "DATABASE_URL", "REDIS_URL", "PORTAL_SMTP_URL"


@pytest.mark.parametrize(
    ("name", "url", "is_plain"),
    [
        (DATABASE, "sqlite:////data/portal.sqlite3", False),
        (DATABASE, "postgresql://portal@/portal", False),
        (DATABASE, "postgresql://portal@/portal?host=/var/run/postgresql", False),
        (DATABASE, "postgresql://portal@127.0.0.1/portal", False),
        (DATABASE, "postgresql://portal@[::1]/portal", False),
        (DATABASE, "postgresql://portal@db.example/portal", True),
        (DATABASE, "postgresql+psycopg://portal@db.example/portal", True),
        (DATABASE, "postgresql://portal@/portal?host=db.example", True),
        (DATABASE, "postgresql://portal@db.example/portal?sslmode=prefer", True),
        (DATABASE, "postgresql://portal@db.example/portal?sslmode=verify-full", False),
        (REDIS, "redis://localhost:6379/0", False),
        (REDIS, "unix:///run/redis.sock", False),
        (REDIS, "redis://10.0.0.7", True),
        (REDIS, "redis://localhost.example", True),
        (REDIS, "rediss://redis.example", False),
        (MAIL, "smtps://mail.example", False),
        (MAIL, "smtp://mail.example:587", False),
        (MAIL, "smtp://mail.example?from=a@b.example&plain=yes", True),
        (MAIL, "smtp://127.0.0.1?plain=yes", False),
    ],
)
def test_what_leads_over_a_network_in_the_clear(name: str, url: str, is_plain: bool) -> None:
    urls = {DATABASE: "", REDIS: "", MAIL: "", name: url}
    assert service_urls.in_the_clear(*urls.values()) == ([name] if is_plain else [])
    given = {**PRODUCTION, name: url}
    if is_plain:
        with pytest.raises(SettingsError, match=f"{name} leads over a network without TLS"):
            Settings.from_environ(given)
        Settings.from_environ({**given, "PORTAL_PLAIN_SERVICES": "yes"})
        return
    Settings.from_environ(given)


def test_in_local_nothing_is_asked_for() -> None:
    Settings.from_environ({REDIS: "redis://10.0.0.7"})


@pytest.fixture
def old_mail_server() -> str:
    """Knows no STARTTLS; written so that nothing says it is this machine."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection, server:
            connection.sendall(b"220 old\r\n")
            while line := connection.recv(1000):
                is_end = line.upper().startswith(b"QUIT")
                connection.sendall(b"221 bye\r\n" if is_end else b"250 old\r\n")

    threading.Thread(target=serve, daemon=True).start()
    return f"smtp://127.1:{server.getsockname()[1]}"


def test_a_mail_server_elsewhere_without_tls_gets_no_mail(
    old_mail_server: str,
) -> None:
    letter = Letter("nora@example.com", "A link", "secret", "m1")
    with pytest.raises(AdapterError, match="offers no TLS"):
        SmtpSender(old_mail_server).send(letter)
