"""Which authorities may issue certificates for a name (RFC 8659)."""

import shlex
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from portal.dns import Answer, Trouble
from portal.dns.asking import best_of
from portal.dns.suffixes import is_public_suffix
from portal.dns.values import absolute_name, plain_name

MOST_LEVELS = 10
CRITICAL = 128
KNOWN_TAGS = frozenset({"issue", "issuewild", "issuemail", "issuevmc", "iodef", "contactemail"})
Ask = Callable[[str, str], tuple[Answer, ...]]


@dataclass(frozen=True)
class CaaSet:
    """The records that count for a name and the name they stand at; both empty: nobody limits.

    With `trouble` nothing is known, and an authority that finds the same must not issue.
    """

    name: str = ""
    values: tuple[str, ...] = ()
    trouble: Trouble = ""
    detail: str = ""

    def allows(self, authorities: Collection[str], *, wildcard: bool) -> bool:
        """Whether one of these identifiers (`letsencrypt.org`) may issue.

        `issuewild` takes the place of `issue` for wildcards (section 4.3); a critical property
        that nobody knows forbids all (section 4.1).
        """
        properties = [_property(value) for value in self.values]
        if any(flags & CRITICAL and tag not in KNOWN_TAGS for flags, tag, _ in properties):
            return False
        for kind in ("issuewild", "issue") if wildcard else ("issue",):
            named = [value for _, tag, value in properties if tag == kind]
            if named:
                wanted = {authority.lower() for authority in authorities}
                return any(_issuer(value) in wanted for value in named)
        return True


def relevant_caa(ask: Ask, name: str) -> CaaSet:
    """The first CAA set on the way from `name` up to the top (section 3), aliases followed.

    `ask` is a resolver's `authority` or `public`. A public suffix that cannot be asked counts as
    one that says nothing.
    """
    for candidate in _climb(name):
        answer = best_of(ask(candidate, "CAA") or (Answer("no_record"),))
        if answer.status == "found" and answer.values:
            return CaaSet(candidate, answer.values)
        if answer.status == "could_not_ask" and not is_public_suffix(candidate):
            return CaaSet(candidate, (), answer.trouble or "unreachable", answer.detail)
    return CaaSet()


def _climb(name: str) -> Iterator[str]:
    labels = plain_name(absolute_name(name)).removeprefix("*.").split(".")[-MOST_LEVELS:]
    for at in range(len(labels)):
        yield ".".join(labels[at:])


def _property(value: str) -> tuple[int, str, str]:
    """Flags, tag and value of `0 issue "ca.example"`; a broken one is critical and unknown."""
    try:
        flags, tag, text = shlex.split(value)
        return int(flags), tag.lower(), text
    except ValueError:
        return CRITICAL, "", ""


def _issuer(value: str) -> str:
    """The authority's identifier without its parameters; empty for ";", which means nobody."""
    return value.partition(";")[0].strip().rstrip(".").lower()
