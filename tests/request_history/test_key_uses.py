"""The newest use of each key of a batch."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.database import utc_now
from portal.request_history.key_uses import newest_uses

pytestmark = pytest.mark.engine_independent

NOW = utc_now()


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ([], []),
        ([(None, 0)], []),
        ([(7, 0)], [(7, 0)]),
        ([(7, 3), (None, 9), (7, 1)], [(7, 3)]),
        ([(9, 1), (7, 2), (9, 5), (7, 0)], [(7, 2), (9, 5)]),
    ],
)
def test_newest_uses(uses: list[tuple[int | None, int]], expected: list[tuple[int, int]]) -> None:
    rows = [{"api_key_id": key, "created_at": NOW + timedelta(seconds=at)} for key, at in uses]
    assert newest_uses(rows) == [(key, NOW + timedelta(seconds=at)) for key, at in expected]
