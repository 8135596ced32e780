"""`encryption-keys` of the command line: add a key, seal everything with it, retire the others."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from portal.accounts.models import AuditEvent
from portal.database import db
from portal.errors import PortalError
from portal.formatting import plural
from portal.settings import Settings
from portal.vault import current_sealer, lost_values, rotation
from portal.vault.lost_values import Lost
from portal.vault.sealing import key_id

BAR = 30
MOST_AT_ONCE = 50


def add_arguments(command: argparse.ArgumentParser) -> None:
    """One verb after the other; without any, how things stand."""
    verbs = command.add_mutually_exclusive_group()
    verbs.add_argument("--new", action="store_true", help="put a new key before the others")
    verbs.add_argument("--reseal", action="store_true", help="seal everything with the first key")
    verbs.add_argument("--retire", action="store_true", help="forget all keys but the first")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Do it. Raises PortalError for what must not be done."""
    if arguments.new:
        _add(settings)
    elif arguments.reseal:
        return _reseal()
    elif arguments.retire:
        _retire(settings)
    else:
        _tell()
    return 0


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")


def _tell() -> None:
    sealer = current_sealer()
    first, *others = sealer.key_ids
    _say(f"Key {first} seals" + (f"; {', '.join(others)} can still open." if others else "."))
    for found in rotation.standing(db.session.connection(), sealer):
        _say(f"  {found.place}: {found.total}, of an older key {found.older}")
    _tell_lost(lost_values.find(db.session.connection(), sealer)[1])


def _tell_lost(lost: list[Lost]) -> None:
    """What is gone for good; it keeps no key, as none of ours opens it."""
    if not lost:
        return
    count = plural(len(lost), "value opens", "values open")
    sys.stderr.write(f"{count} with no key that we have. What is lost, and what to do:\n")
    for one in lost:
        sys.stderr.write(f"  {one.sentence}\n")


def _add(settings: Settings) -> None:
    key = Fernet.generate_key().decode()
    file = settings.encryption_keys_file
    if file is None:
        _say(f"{key}\nAdd it to PORTAL_ENCRYPTION_KEYS: at the end first, and once every process")
        _say("was started with it, at the beginning.")
        return
    _write(file, (key, *settings.encryption_keys))
    _note("encryption_key_added", key_id(key))
    _say(f"Key {key_id(key)} is the first from now on. Workers seal everything with it; see how")
    _say("far they are, or do it now: encryption-keys --reseal")


def _reseal() -> int:
    sealer, moved = current_sealer(), rotation.Moved()
    older = sum(found.older for found in rotation.standing(db.session.connection(), sealer))
    while True:
        step = rotation.seal_anew(db.session.connection(), sealer, MOST_AT_ONCE)
        db.session.commit()
        moved.sealed += step.sealed
        moved.unopened = step.unopened
        _show(moved.sealed, older)
        if not step.sealed:
            break
    _say(f"{moved.sealed} values are sealed anew.")
    if moved.unopened:
        _tell_lost(lost_values.find(db.session.connection(), sealer)[1])
    return 1 if moved.unopened else 0


def _show(done: int, expected: int) -> None:
    if sys.stderr.isatty():
        share = min(1.0, done / expected) if expected else 1.0
        sys.stderr.write(f"\r[{'#' * int(BAR * share):{BAR}}] {done} of {expected} ")
        sys.stderr.write("\n" if share == 1.0 else "")


def _retire(settings: Settings) -> None:
    """Raises PortalError while a value opens with an older key; what opens with none needs none."""
    needed, lost = lost_values.find(db.session.connection(), current_sealer())
    _tell_lost(lost)
    if needed:
        told = plural(needed, "value is", "values are")
        raise PortalError(
            f"{told} still sealed with an older key. Seal anew first: encryption-keys --reseal"
        )
    file = settings.encryption_keys_file
    if file is None:
        _say(f"Nothing needs any key but {current_sealer().key_ids[0]}: take the others out of")
        _say("PORTAL_ENCRYPTION_KEYS.")
        return
    _write(file, settings.encryption_keys[:1])
    _note("encryption_keys_retired", key_id(settings.encryption_keys[0]))
    _say(f"Only {current_sealer().key_ids[0]} is left.")


def _note(action: str, name: str) -> None:
    """In the audit log without an account, as it is the operator who acts; a key by its id."""
    db.session.add(AuditEvent(action=action, by="command", object_name=name))
    db.session.commit()


def _write(path: Path, keys: tuple[str, ...]) -> None:
    """Whole or not at all, for its owner's eyes only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
