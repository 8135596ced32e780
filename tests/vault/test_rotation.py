"""Another master key: everything is sealed anew, in small steps, whatever happens meanwhile."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from portal.accounts.models import Account, AuditEvent
from portal.audit_log import chains
from portal.database import db, utc_now
from portal.errors import PortalError
from portal.notices import webhooks
from portal.people.models import TotpFactor
from portal.providers.models import Provider, ProviderCredential
from portal.settings import Settings, keys_in
from portal.vault import command, current_sealer, init_app, lost_values, named, rotation
from portal.vault.jobs import seal_anew, values_of_older_keys
from portal.vault.models import Secret
from portal.vault.sealing import Sealer, key_id
from tests.people import People
from tests.planes import Planes


@pytest.fixture
def keys_file(planes: Planes, people: People, tmp_path: Path) -> Iterator[Path]:
    """The portal's keys in a file, as on a developer's machine; the old sealer comes back."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    file = folder / "encryption_keys"
    file.write_text(planes.settings.encryption_keys[0])
    before = planes.worker.extensions["portal_sealer"]
    with planes.worker.app_context():
        init_app(planes.worker, planes.settings.encryption_keys, lambda: keys_in(file))
        yield file
        db.session.rollback()
    planes.worker.extensions["portal_sealer"] = before


def settings_of(planes: Planes, file: Path) -> Settings:
    return replace(planes.settings, encryption_keys=keys_in(file), encryption_keys_file=file)


def run(planes: Planes, file: Path, *verbs: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(settings_of(planes, file), parser.parse_args(list(verbs)))


def some_secrets(people: People, count: int) -> None:
    for number in range(count):
        named.make(people.alice.account_id, f"s{number}", f"value {number}")
    db.session.commit()


def older() -> int:
    standing = rotation.standing(db.session.connection(), current_sealer())
    return sum(found.older for found in standing)


def assert_all_open(people: People, count: int) -> None:
    for number in range(count):
        assert named.followed(people.alice.account_id, f"secret:s{number}") == f"value {number}"


def test_everything_that_is_sealed_is_in_a_column_that_says_so() -> None:
    places = {str(column) for column in rotation.sealed_columns()}
    assert {"secrets.sealed", "provider_credentials.sealed_key", "plugins.sealed_secret"} <= places
    assert {"llm_client_custom_domains.sealed_settings", "certificates.sealed_key"} <= places


def test_a_new_key_seals_at_once_and_jobs_follow(
    planes: Planes, people: People, keys_file: Path
) -> None:
    some_secrets(people, 120)
    now = db.session.scalars(db.select(Secret.created_at)).first()
    assert now is not None
    assert list(values_of_older_keys(now)) == []
    assert run(planes, keys_file, "--new") == 0
    assert older() == 120
    steps = 0
    while list(values_of_older_keys(now)):
        seal_anew()
        steps += 1
    assert steps == 3
    assert older() == 0
    assert_all_open(people, 120)


def test_an_old_key_is_not_retired_while_it_is_needed(
    planes: Planes, people: People, keys_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some_secrets(people, 3)
    old = keys_in(keys_file)[0]
    run(planes, keys_file, "--new")
    with pytest.raises(PortalError, match="3 values are still sealed with an older key"):
        run(planes, keys_file, "--retire")
    assert old in keys_in(keys_file)
    assert run(planes, keys_file, "--reseal") == 0
    assert run(planes, keys_file, "--retire") == 0
    assert len(keys_in(keys_file)) == 1
    assert old not in keys_in(keys_file)
    events = db.session.scalars(db.select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert events == ["encryption_key_added", "encryption_keys_retired"]
    assert keys_file.stat().st_mode & 0o777 == 0o600
    assert run(planes, keys_file) == 0
    told = capsys.readouterr().out
    assert f"Key {key_id(keys_in(keys_file)[0])} seals." in told
    assert "secrets.sealed: 3, of an older key 0" in told
    assert not any(key in told for key in (old, *keys_in(keys_file)))
    assert_all_open(people, 3)


def test_what_somebody_stores_meanwhile_is_not_overwritten(
    planes: Planes, people: People, keys_file: Path
) -> None:
    some_secrets(people, 1)
    run(planes, keys_file, "--new")
    column = next(one for one in rotation.sealed_columns() if str(one) == "secrets.sealed")
    connection, moved = db.session.connection(), rotation.Moved()
    [(row_id, seen)] = rotation.older_values(connection, column, current_sealer())
    named.replace(db.session.scalars(db.select(Secret)).one(), "newer")
    db.session.flush()
    rotation._seal_one(connection, column, current_sealer(), row_id, seen, moved)
    assert moved.sealed == 0
    assert named.followed(people.alice.account_id, "secret:s0") == "newer"


def lose(row: Any, column: str) -> None:
    """Its value is one of a key that nobody has any more."""
    gone = Sealer((Fernet.generate_key().decode(),)).seal("x", belongs_to="a")
    setattr(row, column, gone)
    db.session.commit()


def test_a_value_whose_key_is_gone_is_told_and_stops_nothing(
    planes: Planes, people: People, keys_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some_secrets(people, 60)
    lose(db.session.scalars(db.select(Secret).order_by(Secret.id).limit(1)).one(), "sealed")
    old = keys_in(keys_file)[0]
    run(planes, keys_file, "--new")
    with pytest.raises(PortalError, match="59 values are still sealed with an older key"):
        run(planes, keys_file, "--retire")
    assert run(planes, keys_file, "--reseal") == 1
    told = capsys.readouterr()
    assert "59 values are sealed anew." in told.out
    number = db.session.get_one(Account, people.alice.account_id).account_number
    sentence = f"Secret s0 of account {number} (secrets, row 1): Enter it again under Secrets."
    assert told.err.count(sentence) == 2
    assert run(planes, keys_file, "--retire") == 0
    assert "1 value opens with no key that we have." in capsys.readouterr().err
    assert old not in keys_in(keys_file)


def test_each_lost_value_is_told_with_its_name_its_account_and_what_to_do(
    planes: Planes, people: People, keys_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = db.session.get_one(Account, people.alice.account_id)
    provider = Provider(account_id=account.id, name="own", base_url="https://models.example")
    factor = TotpFactor(user_id=people.bob.user_id, sealed_key="")
    webhook, _ = webhooks.make(account.id, "orders", "https://example.com/", [])
    db.session.add_all([provider, factor])
    db.session.flush()
    credential = ProviderCredential(provider_id=provider.id, sealed_key="")
    db.session.add(credential)
    for row, column in [
        (credential, "sealed_key"),
        (factor, "sealed_key"),
        (webhook, "sealed_secret"),
        (chains.begin(account.id, utc_now()), "sealed_key"),
    ]:
        lose(row, column)
    assert run(planes, keys_file) == 0
    told = capsys.readouterr().err
    whose = f"of account {account.account_number}"
    assert f"Key of the provider own {whose}" in told
    assert f"Secret of the webhook orders {whose} (webhooks, row" in told
    assert f"Key of the audit log {account.id} {whose}" in told
    assert "Authenticator app of bob (totp_factors, row" in told


def test_every_place_of_sealed_values_is_described() -> None:
    for column in rotation.sealed_columns():
        assert str(column) in lost_values.PLACES, column


def test_where_the_operator_gives_the_keys_the_command_says_what_to_do(
    planes: Planes, people: People, keys_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = keys_file.read_text()
    given = replace(planes.settings, encryption_keys_file=None)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    command.run(given, parser.parse_args(["--new"]))
    command.run(given, parser.parse_args(["--retire"]))
    told = capsys.readouterr().out
    assert "Add it to PORTAL_ENCRYPTION_KEYS: at the end first" in told
    assert "take the others out" in told
    assert keys_file.read_text() == before
