"""The kind History: how long the account keeps what was asked, and what is never written down."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from portal.accounts.models import Account
from portal.history_keeping import account_terms
from portal.history_keeping.forms import KeepingForm
from portal.manifests.fields import Field, Types
from portal.manifests.kind import NO_CSRF, Kind, Person, Values
from portal.request_history import redaction


class HistoryKind(Kind):
    """One for the account; within an hour what is older than it says is gone."""

    name = "History"
    about = "How long requests are kept, and what is hidden before they are written."
    form_class = KeepingForm
    separators = {"hide": ""}  # noqa: RUF012 - as in Kind
    fields = (
        Field("bodiesDays", "Days for what was said.", Types.INTEGER, form="bodies_days"),
        Field("rowsDays", "Days for the requests themselves.", Types.INTEGER, form="rows_days"),
        Field("hide", f"Any of: {', '.join(redaction.KINDS)}.", Types.STRINGS, form="kinds"),
        Field("ownWords", "Words of your own to hide.", Types.STRINGS, form="own"),
    )

    def find(self, given: Values, person: Person) -> Account:
        return person.account

    def all_of(self, account: Account) -> list[Account]:
        return [account]

    def read(self, row: Account) -> Values:
        stored = row.redaction or {}
        return {
            "bodiesDays": row.request_bodies_days,
            "rowsDays": row.request_rows_days,
            "hide": list(stored.get("kinds", [])),
            "ownWords": list(stored.get("own", [])),
        }

    def form_of(self, sent: MultiDict[str, str], row: Account, person: Person) -> KeepingForm:
        return KeepingForm(formdata=sent, meta=NO_CSRF)

    def settle(self, row: Account, form: Any, values: Values, person: Person) -> Values:
        found = super().settle(row, form, values, person)
        return {**found, "hide": list(form.kinds.data or []), "ownWords": form.own_words}

    def title(self, values: Values) -> str:
        return "of the account"

    def remarks(self, row: Account, given: Values, changed: set[str], person: Person) -> list[str]:
        shorter = [name for name in ("bodiesDays", "rowsDays") if name in changed]
        older = "What is older than that is gone within an hour, for good."
        return [older] if any(given[name] < self.read(row)[name] for name in shorter) else []

    def store(
        self, row: Account, form: Any, values: Values, changed: set[str], person: Person
    ) -> Account:
        account_terms.change(row, form, person.actor)
        return row
