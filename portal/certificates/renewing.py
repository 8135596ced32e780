"""When a certificate is replaced: as its authority suggests, else with a third of its life left."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from portal.certificates.models import Certificate
from portal.tls import Renewal

LONGEST_PAUSE = timedelta(days=1)
SHORTEST_PAUSE = timedelta(minutes=10)
A_DAY = timedelta(days=1)  # of its life at either end is not touched, whatever anybody suggests


def renewal_time(certificate: Certificate, wish: Renewal) -> datetime:
    """The moment to replace it. A third of its life before its end, a little earlier at random.

    The same certificate has the same moment at each look.
    """
    start, end = certificate.not_before, certificate.not_after
    assert start is not None and end is not None  # noqa: S101, PT018 - issued
    if wish.at is not None:
        edge = min(A_DAY, (end - start) / 3)
        return min(max(wish.at, start + edge), end - edge)
    share = random.Random(certificate.serial).uniform(0, 0.02)  # noqa: S311 - jitter
    return end - (end - start) * (1 / 3 + share)


def next_look(renew_at: datetime, wish: Renewal, now: datetime) -> datetime:
    """When to ask again whether it is time: the authority may change its mind."""
    if wish.ask_again_at is None:
        return renew_at
    again = min(max(wish.ask_again_at, now + SHORTEST_PAUSE), now + LONGEST_PAUSE)
    return min(renew_at, again)
