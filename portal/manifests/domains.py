"""The kind CustomDomain: a claim of a name, which its owner proves as on the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.accounts.models import Account
from portal.custom_domains import names
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.records import ownership_name, ownership_value
from portal.database import db
from portal.domain_setup import adding, finding
from portal.domain_setup.forms import NewDomainForm
from portal.errors import PortalError
from portal.manifests.fields import Types, metadata, status
from portal.manifests.kind import NO_CSRF, Kind, Person, Values

STATES = tuple(str(one) for one in LLMClientCustomDomain.States)


class DomainKind(Kind):
    """Custom domains, found by name. Where a domain comes to another account it is proven anew."""

    name = "CustomDomain"
    about = "A domain of a customer. Applying it claims the name; a DNS record proves it."
    form_class = NewDomainForm
    fields = (
        metadata("name", "The domain, such as example.com.", form="domain_name"),
        status("id", "Its number.", Types.INTEGER),
        status("isVerified", "Whether the account was seen to own it.", Types.BOOLEAN),
        status("state", "Where it stands.", choices=STATES),
        status("verificationName", "Where the TXT record that proves it belongs."),
        status("verificationValue", "What that record says."),
        status("zoneEditor", "Who publishes its records."),
        status("llmClients", "Names of the clients on it.", Types.STRINGS),
        status("createdAt", "When it was added."),
    )

    def find(self, given: Values, person: Person) -> LLMClientCustomDomain | None:
        try:
            name = names.canonical_name(str(given.get("name") or ""))
        except PortalError:
            return None
        return db.session.scalar(
            select(LLMClientCustomDomain)
            .where(
                LLMClientCustomDomain.account_id == person.account.id,
                LLMClientCustomDomain.domain_name == name,
            )
            .with_for_update(of=LLMClientCustomDomain)
        )

    def all_of(self, account: Account) -> list[LLMClientCustomDomain]:
        return finding.all_of(account)

    def read(self, row: LLMClientCustomDomain) -> Values:
        return {"name": row.domain_name}

    def documents(self, account: Account) -> Iterator[Values]:
        found = self.all_of(account)
        on_them = finding.client_names(found)
        for row in found:
            yield self.document_of(self.read(row), self._status(row, on_them[row.id]))

    def status(self, row: LLMClientCustomDomain) -> Values:
        return self._status(row, finding.client_names([row])[row.id])

    def _status(self, row: LLMClientCustomDomain, clients: list[str]) -> Values:
        return {
            "id": row.id,
            "isVerified": row.is_verified,
            "state": row.state.value,
            "verificationName": ownership_name(row.domain_name),
            "verificationValue": ownership_value(row.verification_token),
            "zoneEditor": row.zone_editor,
            "llmClients": clients,
            "createdAt": row.created_at.isoformat(),
        }

    def form_of(self, sent: MultiDict[str, str], row: Any, person: Person) -> NewDomainForm:
        return NewDomainForm(formdata=sent, meta=NO_CSRF)

    def settle(self, row: Any, form: Any, values: Values, person: Person) -> Values:
        return {**values, "name": names.canonical_name(form.domain_name.data or "")}

    def remarks(self, row: Any, given: Values, changed: set[str], person: Person) -> list[str]:
        if row is not None:
            return []
        return ["It is a claim until its TXT record is seen; the domain’s page has the records."]

    def store(
        self, row: Any, form: Any, values: Values, changed: set[str], person: Person
    ) -> LLMClientCustomDomain:
        return adding.add(person.account, values["name"], person.now, person.user, person.actor)
