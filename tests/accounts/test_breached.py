"""A file of breached passwords that the operator has: searched where it lies, asked of nobody."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from portal.accounts import breached, passwords
from portal.settings import Settings, SettingsError
from tests.people import PASSWORD, People

OUT = "correct donkey battery staple"


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def written(folder: Path, those: list[str], end: str = "\r\n") -> Path:
    lines = [f"{digits}:{len(digits) * place}" for place, digits in enumerate(sorted(those))]
    file = folder / "breached.txt"
    file.write_bytes("".join(line + end for line in lines).encode())
    return file


@pytest.mark.engine_independent
@pytest.mark.parametrize("count", [0, 1, 2, 3, 500])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_line_is_found_and_nothing_else(count: int, end: str, tmp_path: Path) -> None:
    file = written(tmp_path, [sha1(f"password {n}") for n in range(count)], end)
    assert all(breached.is_in(file, f"password {n}") for n in range(count))
    assert not any(breached.is_in(file, f"other {n}") for n in range(100))


@pytest.mark.engine_independent
def test_the_last_line_needs_no_end_and_small_digits_will_do(tmp_path: Path) -> None:
    file = tmp_path / "breached.txt"
    file.write_text(sha1(OUT).lower())
    assert breached.is_in(file, OUT)
    assert not breached.is_in(file, PASSWORD)


def test_a_breached_one_is_refused_with_the_reason(people: People, tmp_path: Path) -> None:
    app, before = people.planes.admin, people.planes.settings
    file = written(tmp_path, [sha1(OUT), sha1("something else")])
    values = {"current": PASSWORD, "password": OUT, "again": OUT}
    app.extensions["portal_settings"] = replace(before, breached_passwords=file)
    try:
        page = people.browser(people.alice).post("/account/password", values, 422)
        assert "it got out of some other site" in page.words
    finally:
        app.extensions["portal_settings"] = before
    people.browser(people.alice).post("/account/password", values)


@pytest.mark.engine_independent
def test_a_file_that_went_away_refuses_nobody_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert not passwords.is_breached(OUT, tmp_path / "gone")
    assert "cannot be read" in caplog.text
    assert OUT not in caplog.text
    assert not passwords.is_breached(OUT, None)


@pytest.mark.engine_independent
def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PORTAL_BREACHED_PASSWORDS"):
        Settings.from_environ({"PORTAL_BREACHED_PASSWORDS": str(tmp_path / "none")})
    file = written(tmp_path, [])
    found = Settings.from_environ({"PORTAL_BREACHED_PASSWORDS": str(file)})
    assert found.breached_passwords == file
