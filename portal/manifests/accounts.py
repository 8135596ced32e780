"""The kind Account: what holds for everybody of the account that is looked at."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from portal.accounts.models import Account
from portal.manifests.fields import Field, Types, status
from portal.manifests.kind import NO_CSRF, Kind, Person, Values
from portal.people import account_settings
from portal.people.forms import AccountForm


class AccountKind(Kind):
    """The one account; a manifest of another changes its settings, not its name."""

    name = "Account"
    about = "Time zone, currency, second factors and how long the audit log is kept."
    form_class = AccountForm
    fields = (
        Field("timezone", "Where its days begin, such as Europe/Berlin.", form="timezone"),
        Field("currency", "Of budgets and own prices.", form="currency"),
        Field(
            "requiresSecondFactor",
            "Whether everybody needs one.",
            Types.BOOLEAN,
            form="requires_second_factor",
        ),
        Field("auditDays", "How long the audit log is kept.", Types.INTEGER, form="audit_days"),
        status("accountNumber", "Its number in host names."),
        status("companyName", "What it is called."),
    )

    def find(self, given: Values, person: Person) -> Account:
        return person.account

    def all_of(self, account: Account) -> list[Account]:
        return [account]

    def read(self, row: Account) -> Values:
        return {
            "timezone": row.timezone,
            "currency": row.currency,
            "requiresSecondFactor": row.requires_second_factor,
            "auditDays": row.audit_days,
        }

    def status(self, row: Account) -> Values:
        return {"accountNumber": row.account_number, "companyName": row.company_name}

    def form_of(self, sent: MultiDict[str, str], row: Account, person: Person) -> AccountForm:
        sent["company_name"] = row.company_name
        return AccountForm(formdata=sent, meta=NO_CSRF)

    def title(self, values: Values) -> str:
        return "settings"

    def store(
        self, row: Account, form: AccountForm, values: Values, changed: set[str], person: Person
    ) -> Account:
        account_settings.change(row, form.data, person.actor)
        return row
