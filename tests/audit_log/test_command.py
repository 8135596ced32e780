"""`verify-audit-log` and `export-audit-log`."""

from __future__ import annotations

import json
import stat
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from portal import cli
from portal.accounts.models import Account, AuditEvent
from portal.audit_log import command
from portal.database import db, utc_now
from portal.errors import PortalError
from tests.audit_log.conftest import Seal, Write
from tests.people import People


def chosen(*words: str) -> Namespace:
    return cli.parser("verify-audit-log").parse_args(["verify-audit-log", *words])


def test_verifying_ends_with_one_when_something_was_altered(
    people: People,
    write: Write,
    seal: Seal,
    by_hand: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    number = db.session.get_one(Account, people.alice.account_id).account_number
    write()
    write()
    seal()
    assert command.verify(chosen(), utc_now()) == 0
    told = capsys.readouterr().out
    assert f"{number}: 2 events in order, newest 2 " in told
    assert "platform: 0 events in order" in told
    by_hand("DELETE FROM audit_events WHERE sequence = 2")
    assert command.verify(chosen(), utc_now()) == 1
    assert "Event 2 was removed from the end of the chain." in capsys.readouterr().out
    assert command.verify(chosen("--platform"), utc_now()) == 0
    assert command.verify(chosen(number), utc_now()) == 1
    with pytest.raises(PortalError, match="no account 1-2"):
        command.verify(chosen("1-2"), utc_now())


def test_the_file_of_the_command_is_its_owners(
    people: People, write: Write, tmp_path: Path
) -> None:
    number = db.session.get_one(Account, people.alice.account_id).account_number
    write()
    write("deleted")
    target = tmp_path / "log.jsonl"
    words = ["export-audit-log", number, "--format", "jsonl", "--output", str(target)]
    arguments = cli.parser(words[0]).parse_args([*words, "--action", "deleted"])
    assert command.export(arguments, utc_now()) == 0
    [line] = target.read_text().splitlines()
    assert json.loads(line)["action"] == "deleted"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    wrong = cli.parser(words[0]).parse_args([*words, "--object", "nothing"])
    with pytest.raises(PortalError, match="Nothing is exported"):
        command.export(wrong, utc_now())


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit_events SET action = 'created' WHERE sequence = 1",
        "DELETE FROM audit_events WHERE sequence = 1",
        "UPDATE audit_chains SET sealed_key = 'of a key that is lost'",
        "DELETE FROM audit_chains",
    ],
)
def test_a_broken_chain_is_begun_anew_and_says_so(
    harm: str, people: People, write: Write, seal: Seal, by_hand: Callable[[str], None]
) -> None:
    number = db.session.get_one(Account, people.alice.account_id).account_number
    write()
    write()
    seal()
    with pytest.raises(PortalError, match="nothing is done"):
        command.verify(chosen(number, "--begin-anew"), utc_now())
    with pytest.raises(PortalError, match="Name the account"):
        command.verify(chosen("--begin-anew"), utc_now())
    by_hand(harm)
    assert command.verify(chosen(number), utc_now()) == 1
    assert command.verify(chosen(number, "--begin-anew"), utc_now()) == 0
    seal()
    assert command.verify(chosen(number), utc_now()) == 0
    newest = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.sequence.desc())).first()
    assert newest is not None
    assert newest.action == "audit_log_begun_anew"
    assert newest.after["problem"]
    by_hand("DELETE FROM audit_events WHERE action = 'audit_log_begun_anew'")
    assert command.verify(chosen(number), utc_now()) == 1
