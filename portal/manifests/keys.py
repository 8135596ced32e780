"""The kind ApiKey: what a key is called and opens. Its text is shown once, so none is made here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.accounts import audit
from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.llm_clients import key_attaching
from portal.llm_clients.key_attaching import ClientName
from portal.llm_clients.pages import keys_page
from portal.manifests.fields import Field, Types, metadata, status
from portal.manifests.kind import NO_CSRF, Kind, Person, Refused, Values
from portal.vault.forms import KeyForm
from portal.vault.models import AuthToken

MADE_ELSEWHERE = "A key’s text is shown once: make this one under API keys, then apply again."


class KeyKind(Kind):
    """API keys, found by name among those that work."""

    name = "ApiKey"
    about = "What a key opens. Keys are made and rotated on their own pages."
    form_class = KeyForm
    separators = {"llmClients": ""}  # noqa: RUF012
    fields = (
        metadata("name", "What it is called.", form="name"),
        Field(
            "llmClients",
            "Names of the clients that it opens; `owner/name` where a name is not enough.",
            Types.STRINGS,
            form="clients",
        ),
        status("id", "Its number.", Types.INTEGER),
        status("prefix", "How its text begins."),
        status("state", "Active, Expires soon, Being replaced, Replaced, Revoked or Expired."),
        status("expiresAt", "When it ends.", is_nullable=True),
        status("lastUsedAt", "When it was used last.", is_nullable=True),
        status("createdAt", "When it was made."),
    )

    def find(self, given: Values, person: Person) -> AuthToken | None:
        query = select(AuthToken).where(
            AuthToken.account_id == person.account.id,
            AuthToken.name == str(given.get("name") or ""),
            AuthToken.replaced_by_id.is_(None),
        )
        held = query.with_for_update(of=AuthToken).execution_options(populate_existing=True)
        found = [key for key in db.session.scalars(held) if key.is_valid(person.now)]
        if len(found) > 1:
            raise Refused("name", "There are several keys of this name. Give each its own.")
        return found[0] if found else None

    def all_of(self, account: Account) -> list[AuthToken]:
        query = (
            select(AuthToken)
            .where(
                AuthToken.account_id == account.id,
                AuthToken.is_active,
                AuthToken.replaced_by_id.is_(None),
            )
            .order_by(AuthToken.name, AuthToken.id)
        )
        return list(db.session.scalars(query))

    def documents(self, account: Account) -> Iterator[Values]:
        found = self.all_of(account)
        opened = key_attaching.clients_by_key(found)
        for row in found:
            yield self.document_of(self.values_of(row, opened[row.id]), self.status(row))

    def read(self, row: AuthToken) -> Values:
        return self.values_of(row, key_attaching.clients_by_key([row])[row.id])

    def values_of(self, row: AuthToken, opened: list[ClientName]) -> Values:
        """The same where the clients that it opens are known already."""
        return {"name": row.name, "llmClients": [self._called(one) for one in opened]}

    def _called(self, client: ClientName) -> str:
        return f"{client.owner}/{client.name}"

    def status(self, row: AuthToken) -> Values:
        used = row.last_used_at
        return {
            "id": row.id,
            "prefix": row.prefix,
            "state": keys_page.status_of(row, utc_now()).word,
            "expiresAt": row.expires_at.isoformat() if row.expires_at else None,
            "lastUsedAt": used.isoformat() if used else None,
            "createdAt": row.created_at.isoformat(),
        }

    def left_out(self, row: AuthToken | None, given: Values, person: Person) -> str:
        return MADE_ELSEWHERE if row is None else ""

    def form_of(self, sent: MultiDict[str, str], row: AuthToken, person: Person) -> KeyForm:
        offered = _clients_of(person)
        wanted = [
            client_named(text, offered, person.user.username) for text in sent.poplist("clients")
        ]
        for client in wanted:
            sent.add("clients", client.hashed_id)
        return KeyForm([(one.hashed_id, one.name) for one in offered], formdata=sent, meta=NO_CSRF)

    def settle(self, row: AuthToken, form: Any, values: Values, person: Person) -> Values:
        wanted = self._wanted(form, person)
        return {"name": form.name.data, "llmClients": [self._called(one) for one in wanted]}

    def _wanted(self, form: Any, person: Person) -> list[ClientName]:
        """By name, as the rows are read."""
        chosen = set(form.clients.data or [])
        offered = _clients_of(person)
        return [one for one in offered if one.hashed_id in chosen]

    def store(
        self, row: AuthToken, form: Any, values: Values, changed: set[str], person: Person
    ) -> AuthToken:
        was, row.name = row.name, values["name"]
        before, after = key_attaching.set_clients(row, self._wanted(form, person))
        audit.record(
            person.actor,
            "api_key_changed",
            row,
            before={"name": was, "llm_clients": before},
            after={"name": row.name, "llm_clients": after},
        )
        return row


def _clients_of(person: Person) -> list[ClientName]:
    """Every client of the account; many keys name them."""
    return person.once("clients", lambda: key_attaching.clients_of_account(person.account))


def client_named(text: str, offered: list[ClientName], username: str) -> ClientName:
    """The client that `name` or `owner/name` means; one's own before others'. Raises Refused."""
    owner, slash, name = text.rpartition("/")
    found = [one for one in offered if one.name == name and (not slash or one.owner == owner)]
    if not found and slash:  # the owner stayed in another account
        found = [one for one in offered if one.name == name]
    own = [one for one in found if one.owner == username]
    if len(found) > 1:
        found = own or found
    if len(found) != 1:
        what = "no LLM client" if not found else "several LLM clients"
        raise Refused("llmClients", f"The account has {what} named {text[:100]}.")
    return found[0]
