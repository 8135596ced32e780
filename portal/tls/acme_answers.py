"""What an ACME step answers the portal with, and how long to leave an order alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from portal.tls import Challenge, Issuance
from portal.tls.acme_client import AcmeClient
from portal.tls.acme_order import Asked
from portal.tls.acme_words import Words

PAUSES = (
    (1, 0),
    (10, 1),
    (60, 3),
    (600, 10),
)  # while younger than so many seconds: seconds to wait
LONGEST_PAUSE = 60


def pause(age: timedelta) -> int:
    """Seconds until a look at an order of this age is worth it."""
    return next((wait for young, wait in PAUSES if age.total_seconds() < young), LONGEST_PAUSE)


def continues(state: dict[str, Any], names: tuple[str, ...], acme: AcmeClient) -> bool:
    """An order of other names, or of another account, cannot be gone on with."""
    same = state.get("names") == list(names) and state.get("account") == acme.account_uri
    return bool(state.get("order")) and same


def challenges_of(asked: list[Asked]) -> tuple[Challenge, ...]:
    """The proofs that this order wants or wanted."""
    return tuple(one.challenge for one in asked if one.challenge is not None)


def waiting(
    message: str, state: dict[str, Any], asked: list[Asked], *, has_ordered: bool = False
) -> Issuance:
    """Not yet; a new order wants its next step at once."""
    return Issuance(
        "waiting",
        message,
        retry_in_seconds=0 if has_ordered else 1,
        state=state,
        challenges=challenges_of(asked),
        has_ordered=has_ordered,
    )


def order_gone(detail: str = "") -> Issuance:
    """It cannot be gone on with; the next step makes a new one."""
    message = "The certificate authority does not know this order any more; a new one."
    return Issuance("waiting", message, "order_gone", 1, detail=detail)


def in_seconds(issuance: Issuance, seconds: int | None) -> Issuance:
    """The same, to be repeated after so many seconds."""
    return replace(issuance, retry_in_seconds=seconds)


def refused(words: Words, detail: str, asked: list[Asked] | None = None) -> Issuance:
    """The order is over; the next attempt makes a new one."""
    return Issuance(
        "failed" if words.permanent else "waiting",
        words.sentence,
        words.reason,
        challenges=challenges_of(asked or []),
        refused=True,
        detail=detail,
    )
