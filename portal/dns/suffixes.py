"""Where a domain that somebody registered begins, by the public suffix list; asks nobody."""

from functools import cache

from publicsuffixlist import PublicSuffixList


def load() -> None:
    """Read the list now, so that not every job of a forking worker has to."""
    _list()


def registrable(name: str) -> str:
    """The registered domain that `name` lies in: example.co.uk; a public suffix is its own."""
    found: str | None = _list().privatesuffix(name)
    return found or name


def is_public_suffix(name: str) -> bool:
    """Whether everybody may register a name below this one (the list's private part included)."""
    return _list().privatesuffix(name) is None


@cache
def _list() -> PublicSuffixList:
    return PublicSuffixList()
