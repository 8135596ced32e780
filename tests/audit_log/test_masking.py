"""Secrets do not reach the log, whatever a caller hands in."""

from __future__ import annotations

from typing import Any

import pytest

from portal.accounts import audit, masking
from portal.accounts.models import AuditEvent
from portal.database import db
from portal.vault import tokens
from tests.audit_log.conftest import Somebody, Thing, Write
from tests.people import People

SECRET = "hunter2-hunter2"
pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(
    "name",
    [
        *("password", "new_password", "Password", "passphrase", "secret", "client_secret"),
        *("clientSecret", "api_key", "apiKey", "API_KEY", "key", "keys", "token", "access_token"),
        *("tokens", "credentials", "credential", "Authorization", "cookie", "tsig_key", "totp"),
        *("x-api-key", "sealed_key", "private_key", "bearer"),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_secret_under_its_name_is_masked(
    name: str, depth: int, people: People, context: object
) -> None:
    told: dict[str, Any] = {name: SECRET, "size": 3}
    for _ in range(depth):
        told = {"settings": [told, {"other": 1}]}
    audit.record(Somebody(people.alice.account_id), "changed", Thing(), before=told, after=told)
    db.session.commit()
    [event] = db.session.scalars(db.select(AuditEvent))
    assert SECRET not in str([event.before, event.after])
    assert "3" in str(event.after)


@pytest.mark.parametrize("where", ["text", "name"])
def test_a_key_inside_a_harmless_text_is_cut_off(
    where: str, people: People, context: object
) -> None:
    key, bearer = tokens.make(), "Bearer abcdef0123456789"
    text = f"I use {key.text} and {bearer} and sk-abcdef0123456789."
    called = text if where == "name" else ""
    told = {"notes": [text]} if where == "text" else None
    audit.record(Somebody(people.alice.account_id), "changed", Thing(), after=told, name=called)
    db.session.commit()
    [event] = db.session.scalars(db.select(AuditEvent))
    whole = f"{event.after} {event.object_name}"
    for secret in (key.text, "abcdef0123456789"):
        assert secret not in whole
    assert key.prefix in whole


def test_what_only_sounds_like_a_secret_is_told() -> None:
    told = {
        "max_tokens": 512,
        "daily_tokens": None,
        "api_key_name": "website",
        "key_prefix": "portal_abc",
        "secret_id": 7,
        "monkey": "Coco",
        "requires_password": True,
        "secret": "replaced",
        "token": "",
    }
    assert masking.masked(told, told) == (told, told)


def test_that_a_hidden_value_changed_is_told() -> None:
    before, after = masking.masked({"password": "a", "pin": 1}, {"password": "b", "pin": 1})
    assert before == {"password": "***", "pin": "***"}
    assert after == {"password": "*** (another one)", "pin": "***"}


def test_a_name_that_is_too_long_does_not_break_the_change(write: Write, people: People) -> None:
    audit.record(Somebody(people.alice.account_id), "changed", Thing(name="x" * 400))
    db.session.commit()
    [event] = db.session.scalars(db.select(AuditEvent))
    assert event.object_name == "x" * 255
