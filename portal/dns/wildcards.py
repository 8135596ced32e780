"""Whether a record is a name's own or only what a wildcard says about every name."""

import secrets
from collections.abc import Callable

from portal.dns import Answer
from portal.dns.asking import best_of
from portal.dns.values import absolute_name, plain_name

Ask = Callable[[str, str], tuple[Answer, ...]]


def random_neighbour(name: str) -> str:
    """A name beside `name` that nobody can have entered."""
    above = plain_name(absolute_name(name)).partition(".")[2]
    return f"{secrets.token_hex(12)}.{above}"


def only_a_wildcard(ask: Ask, name: str, type: str, found: Answer) -> bool | None:
    """Whether a random neighbour of `name` answers like `found`; None where nobody could say.

    A record of its own with the same values as the wildcard looks the same (RFC 4592).
    """
    if found.status != "found":
        return False
    beside = best_of(ask(random_neighbour(name), type) or (Answer("could_not_ask"),))
    if beside.status == "could_not_ask":
        return None
    return (beside.values, beside.alias) == (found.values, found.alias)
