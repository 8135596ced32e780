"""What a newcomer sees before the portal's packages are there."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal import bootstrap

pytestmark = pytest.mark.engine_independent

BOOTSTRAP = Path(bootstrap.__file__)


@pytest.mark.parametrize("version", [(3, 6, 0), (3, 9, 18), (3, 10, 13), (2, 7, 18)])
def test_an_old_python_is_named_together_with_the_one_that_is_needed(
    version: tuple[int, int, int],
) -> None:
    problem = bootstrap.version_problem(version)
    assert problem
    assert "3.11 or newer" in problem
    assert f"this is Python {version[0]}.{version[1]}" in problem


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 1), (4, 0, 0)])
def test_a_new_enough_python_is_no_problem(version: tuple[int, int, int]) -> None:
    assert bootstrap.version_problem(version) is None


def test_the_file_is_readable_by_the_oldest_python_that_it_turns_away() -> None:
    tree = ast.parse(BOOTSTRAP.read_text(), feature_version=(3, 6))
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert "__future__" not in imported


def test_it_imports_the_standard_library_only() -> None:
    tree = ast.parse(BOOTSTRAP.read_text())
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_a_python_on_the_path_that_does_not_start_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path / "python3.13", "exit 127")
    _program(tmp_path / "python3.12", f'exec {sys.executable} "$@"')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bootstrap.newer_python() == str(tmp_path / "python3.12")


def test_changed_pins_or_another_python_change_the_stamp(tmp_path: Path) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text("one==1\n")
    first = bootstrap.stamp_of(pins, "3.11")
    assert bootstrap.stamp_of(pins, "3.11") == first
    assert bootstrap.stamp_of(pins, "3.12") != first
    pins.write_text("one==2\n")
    assert bootstrap.stamp_of(pins, "3.11") != first


def test_packages_are_installed_once_and_again_when_a_pin_moves(tmp_path: Path) -> None:
    python, calls = _fake_environment(tmp_path, "echo called >> {calls}")
    packages = bootstrap.Packages("requirements.txt", "packages")
    (tmp_path / "requirements.txt").write_text("one==1\n")
    assert bootstrap.ensure_packages(python, tmp_path, packages)
    assert bootstrap.ensure_packages(python, tmp_path, packages)
    assert calls.read_text().count("called") == 1
    (tmp_path / "requirements.txt").write_text("one==2\n")
    assert bootstrap.ensure_packages(python, tmp_path, packages)
    assert calls.read_text().count("called") == 2


def test_a_failed_install_shows_the_last_words_of_pip_and_is_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python, calls = _fake_environment(tmp_path, "echo called >> {calls}; echo no route; exit 1")
    packages = bootstrap.Packages("requirements.txt", "the packages")
    (tmp_path / "requirements.txt").write_text("one==1\n")
    for _ in range(2):
        with pytest.raises(bootstrap.BootstrapError, match="Installing the packages failed"):
            bootstrap.ensure_packages(python, tmp_path, packages)
    assert "no route" in capsys.readouterr().out
    assert calls.read_text().count("called") == 2


def test_an_optional_package_that_does_not_install_costs_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python, _ = _fake_environment(tmp_path, "exit 1")
    packages = bootstrap.Packages("extra.txt", "the extra", without="it is not there.")
    (tmp_path / "extra.txt").write_text("one==1\n")
    assert not bootstrap.ensure_packages(python, tmp_path, packages)
    assert "The extra: it is not there." in capsys.readouterr().out


def test_progress_off_a_terminal_is_whole_lines_and_counts_to_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = bootstrap.Progress("packages", 20, redraw=False)
    for number in range(20):
        progress.heard(f"Collecting p{number}==1 (from -r requirements.txt (line {number}))")
        progress.heard("  Using cached p.whl (1 kB)")
    progress.end(succeeded=True)
    output = capsys.readouterr().out
    assert "\r" not in output
    assert "10/20" in output
    assert output.endswith("20/20 installed\n")


def test_a_python_without_ensurepip_is_told_which_package_brings_it(tmp_path: Path) -> None:
    with pytest.raises(bootstrap.BootstrapError, match="apt install python3-venv"):
        bootstrap.ensure_environment(tmp_path / ".venv", has_ensurepip=False)
    assert not (tmp_path / ".venv").exists()


def test_a_ready_environment_needs_no_ensurepip_and_one_of_another_python_is_not_ready(
    tmp_path: Path,
) -> None:
    python, _ = _fake_environment(tmp_path, "exit 0")
    mark = tmp_path / ".venv" / ".portal-python"
    mark.write_text(bootstrap.python_tag())
    assert bootstrap.ensure_environment(tmp_path / ".venv", has_ensurepip=False) == python
    mark.write_text("3.10.1 /elsewhere")
    with pytest.raises(bootstrap.BootstrapError):
        bootstrap.ensure_environment(tmp_path / ".venv", has_ensurepip=False)


def test_a_given_redis_spares_the_embedded_one_but_not_in_tests() -> None:
    given = {"REDIS_URL": "redis://localhost"}
    assert bootstrap.EMBEDDED not in bootstrap.needed("run", given)
    assert bootstrap.EMBEDDED in bootstrap.needed("run", {})
    assert bootstrap.EMBEDDED in bootstrap.needed("test", given)


def test_every_requirement_is_pinned_exactly_and_names_no_index() -> None:
    for path in sorted(bootstrap.ROOT.glob("requirements*.txt")):
        for line in bootstrap.pins(path):
            assert line.count("==") == 1, f"{path.name}: {line}"
        assert "://" not in path.read_text(), path.name


def test_an_unknown_command_ends_with_2_and_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, str(BOOTSTRAP), "dance"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "run|test|install" in done.stderr


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _fake_environment(root: Path, script: str) -> tuple[Path, Path]:
    """A .venv whose python is a shell script; and the file that the script may write to."""
    calls = root / "calls"
    python = root / ".venv" / "bin" / "python"
    os.makedirs(python.parent)
    _program(python, script.format(calls=calls))
    return python, calls
