"""Whose usage a page shows: the account's, a client's, or what was asked of one provider.

The sandbox is left out everywhere: it is nobody's visit.
"""

from __future__ import annotations

from dataclasses import dataclass

from portal.accounts.models import Account
from portal.limits.models import SubjectKinds
from portal.llm_clients.models import LLMClient
from portal.usage import summing
from portal.usage.series import SANDBOX, Series, all_of, of_account, of_client
from portal.usage.summing import Numbers


@dataclass(frozen=True)
class Scope:
    """The account alone, or with a client or the name of a provider."""

    account: Account
    llm_client: LLMClient | None = None
    provider: str = ""

    @property
    def kept(self) -> dict[str, str]:
        """The filters of the list of requests that mean the same."""
        if self.llm_client is not None:
            return {"client": self.llm_client.hashed_id}
        return {"provider": self.provider} if self.provider else {}

    @property
    def numbers(self) -> Numbers:
        """The hourly sums that add up to it."""
        if self.llm_client is not None:
            return [of_client(self.account.id, self.llm_client.id).id]
        if self.provider:
            return summing.of_provider(self.account.id, self.provider)
        return [of_account(self.account.id).id]

    @property
    def parts(self) -> Numbers | None:
        """The hourly sums of what it is made of; None where its page does not tell."""
        if self.llm_client is not None:
            return summing.parts_of_client(self.account.id, self.llm_client.id)
        return self.numbers if self.provider else None

    @property
    def budget_of(self) -> tuple[SubjectKinds, int] | None:
        """Whose budget limits it."""
        if self.llm_client is not None:
            return SubjectKinds.CLIENT, self.llm_client.id
        return None if self.provider else (SubjectKinds.ACCOUNT, self.account.id)

    def includes(self, mode: str, provider: str) -> bool:
        """Whether a row of the account, or of the client, counts."""
        return mode != SANDBOX and self.provider in ("", provider)

    def part_of(self, row: dict[str, object]) -> Series:
        """The part in which a row counts."""
        _, model, _, part = all_of(row)
        return model if self.llm_client is None else part
