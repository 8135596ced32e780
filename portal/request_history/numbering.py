"""The numbers of the history's rows: they carry the time, so that one key serves for both. Pure.

A number has 63 bits. The highest says whether the row is a request (1) or a day's sums of requests
that are folded (0), so that the sums come after all requests; 51 bits are the microseconds since
2020 (until 2091), 11 bits are counted up from a lot that each process draws. Newest first is the
order of the numbers downwards, a stretch of time is a range of numbers, and PostgreSQL's monthly
partitions are too.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import count

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
LOT_BITS = 11
LARGEST_TIME = 2**51 - 1
FIRST_REQUEST = 2**62
MICROSECOND = timedelta(microseconds=1)
_lots = count(random.SystemRandom().getrandbits(LOT_BITS))


def first_of(moment: datetime) -> int:
    """The smallest number that a request of this time, or a later one, can have.

    Times before 2020 and after 2091 have the first or the last one. Raises TypeError for a time
    without a zone.
    """
    return FIRST_REQUEST + (_microseconds(moment) << LOT_BITS)


def _microseconds(moment: datetime) -> int:
    return max(0, min(LARGEST_TIME, (moment - EPOCH) // MICROSECOND))


def new_number(moment: datetime) -> int:
    """A number for a request of this time; in one process 2,048 of a microsecond are different.

    Those of two processes hardly ever meet; the recorder draws anew when they do (recording.py).
    """
    return first_of(moment) + next(_lots) % 2**LOT_BITS


def of_day(day_start: datetime, llm_client_id: int) -> int:
    """The number of a client's sums of the day that begins then (UTC): always the same."""
    return (_microseconds(day_start) + llm_client_id) << LOT_BITS


def first_of_day(day_start: datetime) -> int:
    """The smallest number that sums of this day, or a later one, can have."""
    return _microseconds(day_start) << LOT_BITS


def time_of(number: int) -> datetime:
    """The time that a request's number carries, to the microsecond."""
    return EPOCH + timedelta(microseconds=(number % FIRST_REQUEST) >> LOT_BITS)


def moment_of(number: int) -> datetime:
    """The time of the request with this number."""
    return EPOCH + ((number - FIRST_REQUEST) >> LOT_BITS) * MICROSECOND
