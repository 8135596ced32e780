"""What hourly sums are kept of: an account, a client, and what they are made of. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

SANDBOX, CUSTOM = "sandbox", "custom"


class Grain(StrEnum):
    """How fine a series is; each request counts once in a series of every grain.

    `account` and `client` are what charts are drawn of, with the sandbox apart (`mode` is empty
    or `sandbox`). `model` tells an account's providers, models and modes apart, `part` a client's
    revisions, models, keys and modes.
    """

    ACCOUNT = "account"
    MODEL = "model"
    CLIENT = "client"
    PART = "part"


class Series(NamedTuple):
    """What is summed up together; 0 and "" where it is all the same."""

    account_id: int
    grain: str
    llm_client_id: int = 0
    provider: str = ""
    model: str = ""
    revision_number: int = 0
    api_key_id: int = 0
    mode: str = ""

    @property
    def id(self) -> int:
        """63 bits of the SHA-256 of all of it: the same everywhere, with nothing to look up."""
        return _number_of(self)


@lru_cache(maxsize=10_000)
def _number_of(series: Series) -> int:
    digest = hashlib.sha256("\x1f".join(map(str, series)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def of_account(account_id: int, *, sandbox: bool = False) -> Series:
    """Everything that visitors asked, or everything that was tried in the sandbox."""
    return Series(account_id, Grain.ACCOUNT, mode=SANDBOX if sandbox else "")


def of_client(account_id: int, llm_client_id: int, *, sandbox: bool = False) -> Series:
    """The same of one client."""
    return Series(account_id, Grain.CLIENT, llm_client_id, mode=SANDBOX if sandbox else "")


def all_of(row: Mapping[str, Any]) -> tuple[Series, Series, Series, Series]:
    """The four series in which a row of the history counts."""
    return _all_of(
        row["account_id"],
        row["llm_client_id"] or 0,
        row["provider"],
        row["model"],
        row["revision_number"] or 0,
        row["api_key_id"] or 0,
        row["mode"],
    )


@lru_cache(maxsize=10_000)
def _all_of(
    account_id: int,
    client_id: int,
    provider: str,
    model: str,
    revision_number: int,
    api_key_id: int,
    mode: str,
) -> tuple[Series, Series, Series, Series]:
    sandbox = mode == SANDBOX
    return (
        of_account(account_id, sandbox=sandbox),
        Series(account_id, Grain.MODEL, 0, provider, model, mode=mode),
        of_client(account_id, client_id, sandbox=sandbox),
        Series(
            account_id, Grain.PART, client_id, provider, model, revision_number, api_key_id, mode
        ),
    )
