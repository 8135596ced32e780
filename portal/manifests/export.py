"""The account's things as manifests, in the order in which they can be applied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portal.accounts.models import Account
from portal.manifests.kind import Values
from portal.manifests.kinds import KINDS
from portal.manifests.writing import text_of


def client_text(llm_client: Any) -> str:
    """One client's manifest."""
    return text_of([KINDS["LLMClient"].document(llm_client)])


def documents_of(account: Account, client_name: str = "") -> Iterator[Values]:
    """Everything of an account, or only the clients of a name."""
    kinds = [KINDS["LLMClient"]] if client_name else list(KINDS.values())
    for kind in kinds:
        for found in kind.documents(account):
            if not client_name or found["metadata"]["name"] == client_name:
                yield found


def account_text(account: Account) -> str:
    """Everything of an account as one text."""
    return text_of(documents_of(account))
