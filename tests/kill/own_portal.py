"""A portal's own folder and database, and the commands that are run on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from portal.app import create_worker_app
from portal.settings import Settings

PATIENCE_SECONDS = 60


def environ_of(folder: Path, request: pytest.FixtureRequest, **more: str) -> dict[str, str]:
    """A portal of its own on this run's engine."""
    found = {**os.environ, "PORTAL_DATA_DIR": str(folder), "PORTAL_ADMIN_PASSWORD": "p" * 20}
    found.pop("DATABASE_URL", None)
    if request.config.getoption("--database") == "postgresql":
        found["DATABASE_URL"] = str(request.getfixturevalue("own_postgres_url"))
    return {**found, **more}


def cli(environ: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    """A command at work."""
    command = [sys.executable, "-m", "portal.cli", *words]
    return subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def prepared(environ: dict[str, str]) -> Flask:
    """The tables, the first account, and an application over them for the test itself."""
    assert cli(environ, "prepare").wait(PATIENCE_SECONDS) == 0
    return create_worker_app(Settings.from_environ(environ))
