"""A limit in seconds forgives a crowd, never a pause of our own."""

from __future__ import annotations

import time

import pytest

from tests.crowd import Stopwatch

pytestmark = pytest.mark.engine_independent


def test_a_pause_of_our_own_counts() -> None:
    watch = Stopwatch()
    time.sleep(0.3)
    assert 0.2 < watch.seconds() <= time.monotonic() - watch.began
