"""The account's things as manifests, in the order in which they can be applied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portal.accounts.models import Account
from portal.manifests.kinds import KINDS
from portal.manifests.writing import text_of


def client_text(llm_client: Any) -> str:
    """One client's manifest."""
    return text_of([KINDS["LLMClient"].document(llm_client)])


def documents_of(account: Account) -> Iterator[dict[str, Any]]:
    """Everything of an account, one document for each thing."""
    for kind in KINDS.values():
        for row in kind.all_of(account):
            yield kind.document(row)


def account_text(account: Account) -> str:
    """Everything of an account as one text."""
    return text_of(documents_of(account))
