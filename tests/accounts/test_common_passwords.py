"""The passwords that very many people have: the list that is shipped, and what it refuses."""

from __future__ import annotations

import hashlib
import time

import pytest

from portal.accounts import passwords
from tests.people import PASSWORD, People

CHECKSUM = "0a1bcd434d998e262c337464e889ea8bf971c2bb3d6b36fc7d445449ec6a3944"


@pytest.mark.engine_independent
def test_the_list_is_the_one_we_checked_and_long_enough() -> None:
    """ASVS 5.0.0, 6.2.4: at least 3,000 that fit the rule of length."""
    assert hashlib.sha256(passwords.LIST.read_bytes()).hexdigest() == CHECKSUM
    lines = passwords.LIST.read_text().splitlines()
    assert lines == sorted(set(lines))
    fitting = [line for line in lines if len(line) >= passwords.MIN_LENGTH]
    assert fitting == lines
    not_refused_anyway = [line for line in lines if not passwords.is_easy(line, ())]
    assert len(not_refused_anyway) > 3000
    assert (passwords.LIST.parent / "LICENSE.django").exists()
    assert (passwords.LIST.parent / "LICENSE.seclists").exists()


@pytest.mark.parametrize("common", ["basketball", "Liverpool1", "1QAZ2wsx3edc"])
def test_a_common_one_is_refused_with_the_reason(common: str, people: People) -> None:
    values = {"current": PASSWORD, "password": common, "again": common}
    page = people.browser(people.alice).post("/account/password", values, 422)
    assert "Many people have this password" in page.words


@pytest.mark.engine_independent
def test_looking_one_up_takes_no_time() -> None:
    """The file is read once; 10,000 look-ups are far below a second."""
    passwords.is_common("anything at all")
    before = time.perf_counter()
    assert not any(passwords.is_common(f"eleven patient lanterns {n}") for n in range(10_000))
    assert time.perf_counter() - before < 1
