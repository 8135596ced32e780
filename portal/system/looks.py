"""What rooms above want the machine room's page to say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from portal.accounts.models import Account, User
from portal.formatting import StatusView


@dataclass(frozen=True)
class Look:
    """One line: what was looked at, what came of it, when."""

    title: str
    text: str
    at: datetime | None
    status: StatusView


Looks = Callable[[Account, User], Iterable[Look]]
_looks: dict[str, list[Looks]] = {}


def on_looks(section: str) -> Callable[[Looks], Looks]:
    """A decorator: lines of a section of the page, as this person may see them."""

    def register(looks: Looks) -> Looks:
        _looks.setdefault(section, []).append(looks)
        return looks

    return register


def sections(account: Account, user: User) -> list[tuple[str, list[Look]]]:
    """Each section with its lines."""
    return [
        (name, [look for one in registered for look in one(account, user)])
        for name, registered in sorted(_looks.items())
    ]
