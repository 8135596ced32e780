"""Parts of a whole, the largest first: errors by cause, each with its number and its share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from portal.charts.places import percent
from portal.charts.units import REQUESTS, Unit


@dataclass(frozen=True)
class Share:
    """One part: its name, how many, and where they are listed."""

    name: str
    count: int
    url: str = ""


@dataclass(frozen=True)
class ShareRow:
    """A part as it is drawn; `width` in percent of the largest."""

    name: str
    url: str
    count: str
    share: str
    width: str


@dataclass(frozen=True)
class ShareList:
    """Parts in the order given; `whole` is what shares are of, without it the sum of all."""

    kind: ClassVar[str] = "shares"
    title: str
    shares: tuple[Share, ...]
    unit: Unit = REQUESTS
    whole: int = 0
    nothing: str = "Nothing in this time."
    look: str = "bar-failed"

    @property
    def rows(self) -> tuple[ShareRow, ...]:
        largest = max((share.count for share in self.shares), default=0) or 1
        whole = self.whole or sum(share.count for share in self.shares)
        return tuple(
            ShareRow(
                share.name,
                share.url,
                self.unit.in_words(share.count),
                share_in_words(share.count, whole),
                percent(share.count * 100 / largest),
            )
            for share in self.shares
        )


def share_in_words(count: int, whole: int) -> str:
    """`34%`; `under 1%` and `over 99%` rather than a nothing or a whole that it is not."""
    if not whole:
        return "0%"
    if 0 < count * 100 < whole:
        return "under 1%"
    if 99 * whole < count * 100 < 100 * whole:
        return "over 99%"
    return f"{count * 100 / whole:.0f}%"
