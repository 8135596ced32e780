"""Sealed values: bound to their place, named after their key, opened by any that is known."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet

from portal.vault.sealing import Sealer, SealError, key_id

pytestmark = pytest.mark.engine_independent

OLD, NEW = (base64.urlsafe_b64encode(bytes([number]) * 32).decode() for number in (1, 2))


def test_a_value_opens_where_it_belongs_and_nowhere_else() -> None:
    sealer = Sealer((OLD,))
    sealed = sealer.seal("sk-1", belongs_to="provider/7/3")
    assert "sk-1" not in sealed
    assert sealer.open(sealed, belongs_to="provider/7/3") == "sk-1"
    with pytest.raises(SealError, match="another place"):
        sealer.open(sealed, belongs_to="provider/7/4")


def test_a_value_names_the_key_it_was_sealed_with() -> None:
    assert Sealer((NEW, OLD)).seal("x", belongs_to="a").startswith(f"{key_id(NEW)}.")


def of_another_key() -> str:
    return Sealer((NEW,)).seal("x", belongs_to="a")


def cut() -> str:
    return Sealer((OLD,)).seal("x", belongs_to="a")[:-4]


def unnamed_and_of_another_key() -> str:
    return Fernet(NEW).encrypt(b"[]").decode()


def no_json() -> str:
    return Fernet(OLD).encrypt(b"[1").decode()


@pytest.mark.parametrize(
    "make",
    [
        str,
        lambda: "nonsense",
        lambda: "00000000.nonsense",
        of_another_key,
        cut,
        unnamed_and_of_another_key,
        no_json,
    ],
)
def test_what_does_not_open_is_one_sentence(make: Callable[[], str]) -> None:
    with pytest.raises(SealError, match="does not open"):
        Sealer((OLD,)).open(make(), belongs_to="a")


def test_what_was_sealed_before_values_named_their_key_still_opens() -> None:
    sealed = Fernet(OLD).encrypt(json.dumps(["a", "x"]).encode()).decode()
    sealer = Sealer((NEW, OLD))
    assert sealer.open(sealed, belongs_to="a") == "x"
    anew = sealer.sealed_anew(sealed)
    assert Sealer((NEW,)).open(anew, belongs_to="a") == "x"


def test_a_process_takes_up_a_key_that_was_added_since_it_began() -> None:
    keys = [OLD]
    running = Sealer((OLD,), lambda: tuple(keys))
    keys.insert(0, NEW)
    elsewhere = Sealer((NEW, OLD)).seal("x", belongs_to="a")
    assert running.open(elsewhere, belongs_to="a") == "x"
    assert running.seal("y", belongs_to="a").startswith(key_id(NEW))
    keys.remove(OLD)
    assert running.seal("y", belongs_to="a").startswith(key_id(NEW))
    assert running.key_ids == (key_id(NEW),)


def test_a_file_of_keys_that_cannot_be_read_forgets_no_key() -> None:
    running = Sealer((OLD,), tuple)
    assert running.open(running.seal("x", belongs_to="a"), belongs_to="a") == "x"
