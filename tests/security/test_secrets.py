"""K, X9, B1: sealed values, log lines, and what an error tells (SECURITY.md 2.5 and 2.6)."""

from __future__ import annotations

import logging

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.exc import DBAPIError

from portal import log_lines
from portal.app import create_admin_app
from portal.database import db
from portal.vault.sealing import Sealer, SealError
from portal.web import ANYBODY, permits
from tests.people import People
from tests.planes import Planes

SECRET = "sk-hunter2-hunter2-hunter2"


def test_k2_a_sealed_text_that_was_moved_does_not_open() -> None:
    sealer = Sealer((Fernet.generate_key().decode(),))
    sealed = sealer.seal(SECRET, belongs_to="provider_credential/7/3")
    assert sealer.open(sealed, belongs_to="provider_credential/7/3") == SECRET
    for other in ("provider_credential/7/4", "provider_credential/8/3", "plugin/7/3", ""):
        with pytest.raises(SealError):
            sealer.open(sealed, belongs_to=other)


def test_k2_a_sealed_text_that_was_altered_or_is_of_another_key_does_not_open() -> None:
    sealer, other = (Sealer((Fernet.generate_key().decode(),)) for _ in range(2))
    sealed = sealer.seal(SECRET, belongs_to="x")
    assert SECRET not in sealed
    middle = len(sealed) // 2
    altered = f"{sealed[:middle]}{'A' if sealed[middle] != 'A' else 'B'}{sealed[middle + 1 :]}"
    for text in (altered, sealed[:-4], "", "nonsense"):
        with pytest.raises(SealError):
            sealer.open(text, belongs_to="x")
    with pytest.raises(SealError):
        other.open(sealed, belongs_to="x")


def test_k1_the_same_secret_is_never_sealed_alike() -> None:
    sealer = Sealer((Fernet.generate_key().decode(),))
    assert len({sealer.seal(SECRET, belongs_to="x") for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "typed",
    [
        "alice\n2026-01-01 INFO portal.web all is well",
        "alice\r\nforged",
        "\x1b[31mred\x1b[0m",
        "a\u202egnp.exe",
        "a\u2028b",
        "a\x00b\x7f",
        "a\u0085b",
        "half \ud800 a pair",
    ],
)
def test_x9_what_strangers_type_stays_on_its_line(typed: str) -> None:
    record = logging.LogRecord("portal.web", 30, "", 1, "refused: %s", (typed,), None)
    line = log_lines.OneLine(log_lines.FORMAT).format(record)
    assert line.isprintable()
    assert line.splitlines() == [line]
    assert line.encode()
    assert "refused: " in line


def test_x9_ordinary_words_of_every_script_stay_as_they_are() -> None:
    for text in ("Grüße aus Köln", "日本語", "مرحبا", "naïve café – “quoted”", "plain"):
        assert log_lines.escaped(text) == text


@permits(ANYBODY)
def broken() -> str:
    """A view with a fault that nobody foresaw."""
    raise RuntimeError(f"{SECRET} in /srv/portal/secret.py")


def test_b1_a_fault_tells_its_reference_and_nothing_of_the_inside(
    planes: Planes, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_admin_app(planes.settings)
    app.add_url_rule("/broken", "broken", broken)
    client = app.test_client()
    answer = client.get("/broken", base_url=planes.settings.platform_url)
    with app.app_context():
        db.engine.dispose()
    assert answer.status_code == 500
    for word in ("hunter2", "RuntimeError", "secret.py", "Traceback"):
        assert word not in answer.text
    reference = answer.headers["X-Request-ID"]
    assert reference in answer.text
    assert f"request {reference} failed" in caplog.text
    assert "RuntimeError" in caplog.text
    assert not planes.admin.debug
    assert not planes.serving.debug


@pytest.mark.parametrize(
    "path",
    [
        *("/.git/config", "/static/../wsgi.py", "/static/%2e%2e/wsgi.py", "/static/..%2fwsgi.py"),
        *("/static/", "/metrics", "/console", "/data/portal.sqlite3", "/static/.gitignore"),
    ],
)
def test_b1_nothing_but_pages_and_static_files_is_served(path: str, planes: Planes) -> None:
    for app in (planes.admin, planes.serving):
        answer = app.test_client().get(path, base_url=planes.settings.platform_url)
        assert answer.status_code in (303, 404), path
        assert b"create_admin_app" not in answer.data


def test_t4_a_refused_page_is_noted_in_the_log(
    people: People, caplog: pytest.LogCaptureFixture
) -> None:
    people.browser(people.vera).get("/audit/", 403)
    assert f"user {people.vera.user_id} may not use audit_log.index" in caplog.text


def test_no_error_of_the_database_tells_what_was_to_be_written(planes: Planes) -> None:
    insert = db.text("INSERT INTO nowhere (said) VALUES (:said)")
    with planes.worker.app_context(), pytest.raises(DBAPIError) as refused:
        db.session.execute(insert, {"said": SECRET})
    assert "nowhere" in str(refused.value)
    assert SECRET not in str(refused.value)
