"""The account's things as manifests, in the order in which they can be applied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portal.accounts.models import Account
from portal.manifests.kind import Kind
from portal.manifests.kinds import KINDS
from portal.manifests.writing import text_of


def client_text(llm_client: Any) -> str:
    """One client's manifest."""
    return text_of([KINDS["LLMClient"].document(llm_client)])


def rows_of(account: Account, client_name: str = "") -> Iterator[tuple[Kind, Any]]:
    """Everything of an account with its kind, or only the clients of a name."""
    for kind in KINDS.values():
        if client_name and kind.name != "LLMClient":
            continue
        for row in kind.all_of(account):
            if not client_name or row.name == client_name:
                yield kind, row


def account_text(account: Account) -> str:
    """Everything of an account as one text."""
    return text_of(kind.document(row) for kind, row in rows_of(account))
