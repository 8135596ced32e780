"""What a certificate authority counts, as data: Let's Encrypt's published limits, and our own.

Source: https://letsencrypt.org/docs/rate-limits/ as last updated on 12 June 2025. Another authority
may allow less or more; it says so itself, and its words are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

ORDER, ISSUED, FAILURE = "order", "issued", "failure"
SOURCE = "https://letsencrypt.org/docs/rate-limits/"
SOURCE_DATE = "12 June 2025"
Scope = Literal["portal", "registrable", "name", "account"]


@dataclass(frozen=True)
class Limit:
    """At most `most` of `counted` in any `window`, for each thing of `scope`.

    `reserve` of them are kept for renewals: new names stop that much earlier.
    """

    key: str
    label: str
    counted: str
    scope: Scope
    most: int
    window: timedelta
    reserve: int
    is_ours: bool = False


LIMITS = (
    Limit(
        "orders",
        "Orders of this portal in three hours",
        ORDER,
        "portal",
        300,
        timedelta(hours=3),
        60,
    ),
    Limit(
        "registrable",
        "Certificates below {registrable} in seven days",
        ISSUED,
        "registrable",
        50,
        timedelta(days=7),
        10,
    ),
    Limit(
        "duplicates",
        "Certificates for {name} in seven days",
        ISSUED,
        "name",
        5,
        timedelta(days=7),
        1,
    ),
    Limit(
        "failures",
        "Refusals of {name} in an hour",
        FAILURE,
        "name",
        3,  # the authority allows 5
        timedelta(hours=1),
        0,
        is_ours=True,
    ),
    Limit(
        "account",
        "Orders of this account in a day",
        ORDER,
        "account",
        100,
        timedelta(days=1),
        20,
        is_ours=True,
    ),
)
LONGEST_WINDOW = max(limit.window for limit in LIMITS)
