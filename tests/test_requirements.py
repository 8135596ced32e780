"""What the portal runs on is pinned whole: no package that another needs comes by chance."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import sbom

pytestmark = pytest.mark.engine_independent

ROOT = Path(__file__).parent.parent


def pinned(*files: str) -> dict[str, Requirement]:
    """The requirements of these files by name."""
    lines = [line for file in files for line in (ROOT / file).read_text().splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


@pytest.mark.parametrize(
    "files", [("requirements.txt",), ("requirements.txt", "requirements-dev.txt")]
)
def test_every_package_that_a_pinned_one_needs_is_pinned(files: tuple[str, ...]) -> None:
    known = pinned(*files)
    missing = {}
    for name, requirement in known.items():
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        extras = {"", *requirement.extras}
        for text in metadata.requires(name) or []:
            needed = Requirement(text)
            wanted = needed.marker is None or any(
                needed.marker.evaluate({"extra": extra}) for extra in extras
            )
            if wanted and canonicalize_name(needed.name) not in known:
                missing[needed.name] = name
    assert missing == {}


def test_every_pin_is_one_version() -> None:
    for requirement in pinned("requirements.txt", "requirements-dev.txt").values():
        assert [clause.operator for clause in requirement.specifier] == ["=="]


def test_the_inventory_names_every_package_and_vendored_file() -> None:
    assert sbom.TARGET.read_text() == sbom.written(), "run: python -m tests.sbom"
    named = {(row["name"], row["version"]) for row in json.loads(sbom.written())["components"]}
    for name, requirement in pinned("requirements.txt", "requirements-dev.txt").items():
        assert (name, next(iter(requirement.specifier)).version) in named
    assert "@tabler/core" in {name for name, _ in named}
