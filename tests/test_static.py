"""What the browser gets: vendored as the manifest says, nothing from other hosts, small modules."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from tests import tabler_subset

STATIC = Path(__file__).parent.parent / "static"
VENDOR = STATIC / "vendor"
PACKAGES = json.loads((VENDOR / "manifest.json").read_text())
SCRIPTS = sorted(STATIC.glob("*.js"))
OWN_STYLES = sorted(STATIC.glob("*.css"))
VENDORED_STYLES = sorted(VENDOR.rglob("*.css"))


def test_every_vendored_file_is_in_the_manifest() -> None:
    listed = {name for package in PACKAGES for name in package["files"]}
    present = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert present - {"manifest.json"} == listed


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
def test_vendored_files_are_the_ones_we_checked(package: dict) -> None:
    assert package["version"]
    assert package["licence"]
    assert any(name.endswith("LICENSE") for name in package["files"])
    for name, checksum in package["files"].items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == checksum, name


@pytest.mark.parametrize("style", OWN_STYLES + VENDORED_STYLES, ids=lambda path: path.name)
def test_styles_fetch_nothing_from_elsewhere(style: Path) -> None:
    source = style.read_text()
    assert "sourceMappingURL" not in source
    assert "@import" not in source
    for target in re.findall(r"url\(\s*[\"']?([^\"')]+)", source):
        assert target.startswith(("data:", "./")), target


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_small_and_keep_to_the_policy(script: Path) -> None:
    source = script.read_text()
    assert len(source.splitlines()) <= 120
    assert "sourceMappingURL" not in source
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        ".style",
    ):
        assert word not in source, word
    assert re.findall(r"https?://\w", source) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_module_is_imported_without_the_mark_of_its_content(script: Path) -> None:
    """Static files are kept for ever: an address without a mark would stay old after an upgrade."""
    assert not re.search(r"(?:from|import)\s*\(?\s*[\"']\.", script.read_text())


def test_no_component_names_a_colour_outside_the_tokens() -> None:
    components = (STATIC / "chat.css").read_text()
    assert not re.findall(r"#[0-9a-f]{3,8}\b|\brgb\(|oklch\(", components)


def test_icons_are_named_once() -> None:
    names = re.findall(r'<symbol id="i-([^"]+)"', (STATIC / "icons.svg").read_text())
    assert len(names) == len(set(names)) > 30


def test_every_rule_of_tabler_that_a_page_may_use_is_served() -> None:
    served = set(tabler_subset.TARGET.read_text().splitlines())
    missing = [rule for rule in tabler_subset.subset().splitlines() if rule not in served]
    assert missing == [], "run: python tests/tabler_subset.py"


def test_the_first_visit_stays_small() -> None:
    """At most 120 KB compressed in all, with room for the page itself (10 KB)."""
    names = ["tabler.css", "portal.css", "icons.svg", "portal.js", "keyboard.js", "favicon.svg"]
    paths = [*(STATIC / name for name in names), VENDOR / "inter" / "inter.css"]
    compressed = sum(len(gzip.compress(path.read_bytes())) for path in paths)
    font = (VENDOR / "inter" / "inter-latin-wght-normal.woff2").stat().st_size
    assert compressed + font <= 110_000
