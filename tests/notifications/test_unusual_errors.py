"""A client that fails far more often than usual is told of, by the hourly sums."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from portal.llm_clients.models import LLMClient
from portal.notifications import unusual_errors
from portal.notifications.unusual_errors import Share
from tests.counted import count
from tests.notifications.conftest import mails, notices
from tests.people import MakeClient

NOW = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
Stored = Callable[[str], LLMClient]


@pytest.fixture
def guide(make_client: MakeClient, stored: Stored) -> LLMClient:
    """Usually one of a hundred fails."""
    found = stored(make_client("guide"))
    count(found, NOW - 24 * HOUR, answered=198, failed=2)
    return found


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("hour", "usual", "expected"),
    [
        (Share(10, 50), Share(2, 200), True),
        (Share(4, 20), Share(0, 200), False),  # too few to say anything
        (Share(10, 19), Share(0, 200), False),
        (Share(9, 100), Share(0, 200), False),  # less than a tenth
        (Share(10, 100), Share(0, 0), True),
        (Share(29, 100), Share(20, 200), False),  # not three times the usual 10%
        (Share(30, 100), Share(20, 200), True),
    ],
)
def test_the_rule(hour: Share, usual: Share, expected: bool) -> None:
    assert unusual_errors.is_unusual(hour, usual) is expected


def test_it_is_told_once_with_numbers_and_the_most_frequent_cause(guide: LLMClient) -> None:
    count(guide, NOW, answered=30)
    count(guide, NOW, answered=0, failed=10, error_code="timeout")
    for minutes in (0, 5, 60, 330):
        unusual_errors.look(NOW + timedelta(minutes=minutes))
    [notice] = notices()
    assert notice.subject == "guide fails far more often than usual"
    assert "10 of the 40 requests to guide since 13:00 (Europe/Berlin) failed: 25%." in notice.text
    assert "In the week before it was 1.0%." in notice.text
    assert "Most often: timeout, 10 times." in notice.text
    assert len(mails()) == 1


def test_the_end_of_an_hour_is_looked_at_in_the_next(guide: LLMClient) -> None:
    count(guide, NOW.replace(minute=59), answered=10, failed=10)
    unusual_errors.look(NOW.replace(hour=13, minute=4))
    assert len(notices()) == 1


def test_the_usual_share_and_the_sandbox_are_not_told(guide: LLMClient) -> None:
    count(guide, NOW, answered=198, failed=2)
    count(guide, NOW, answered=0, failed=50, mode="sandbox")
    unusual_errors.look(NOW)
    assert notices() == []


def test_it_is_told_again_when_it_goes_on_for_six_hours(guide: LLMClient) -> None:
    for hours in range(8):
        count(guide, NOW + hours * HOUR, answered=100, failed=100 if hours in (0, 6, 7) else 0)
        unusual_errors.look(NOW + hours * HOUR)
    assert len(notices()) == 2
