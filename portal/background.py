"""The two commands that stay: a worker and the clock. Apart, so that they carry no migrations."""

from __future__ import annotations

import argparse

from portal import app
from portal.settings import Settings
from portal.worker import Clock, run_worker


def worker(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run jobs until stopped."""
    run_worker(app.create_worker_app(settings))
    return 0


def clock(settings: Settings, arguments: argparse.Namespace) -> int:
    """Ring for due rows until stopped."""
    Clock(app.create_worker_app(settings)).run()
    return 0
