"""The kind LLMClient: the mission's fields in camelCase, by the form and verbs of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.datastructures import MultiDict

from portal.accounts import audit
from portal.accounts.models import Account, User, UserProfile
from portal.database import db
from portal.llm_clients import registration, revisions
from portal.llm_clients.deployment.jobs import move
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages import editing
from portal.llm_clients.pages.form_page import first_values
from portal.llm_clients.pages.forms import LLMClientForm
from portal.manifests import client_surroundings as around
from portal.manifests.client_fields import CONFIGURATION, FIELDS
from portal.manifests.kind import NO_CSRF, Kind, Person, Refused, Values

NOTE = "Applied from a manifest"


class ClientKind(Kind):
    """LLM clients. Found by name and owner; without an owner by name, one's own first."""

    name = "LLMClient"
    about = "A named chat client: provider, model, system role, look, and where it answers."
    form_class = LLMClientForm
    fields = FIELDS
    outdates = ("clients",)
    separators = {"tags": ", ", "functions": ""}  # noqa: RUF012

    def find(self, given: Values, person: Person) -> LLMClient | None:
        found = self._named(str(given.get("name") or ""), person)
        if "owner" in given:
            of_owner = [one for one in found if one.user_profile.user.username == given["owner"]]
            found = of_owner or [one for one in found if self._is_own(one, person)]
        elif len(found) > 1:
            found = [one for one in found if self._is_own(one, person)] or found
        if len(found) > 1:
            owners = ", ".join(one.user_profile.user.username for one in found)
            raise Refused("owner", f"There are several clients of this name. Name one of {owners}.")
        return found[0] if found else None

    def _named(self, name: str, person: Person) -> list[LLMClient]:
        query = select(LLMClient).where(
            LLMClient.account_id == person.account.id, LLMClient.name == name
        )
        held = query.with_for_update(of=LLMClient).execution_options(populate_existing=True)
        return list(db.session.scalars(held.order_by(LLMClient.id)).unique())

    def _is_own(self, llm_client: LLMClient, person: Person) -> bool:
        return llm_client.user_profile_id == person.profile.id

    def all_of(self, account: Account) -> list[LLMClient]:
        query = (
            select(LLMClient)
            .where(LLMClient.account_id == account.id)
            .options(
                selectinload(LLMClient.tags),
                selectinload(LLMClient.llmclientfunctions_set),
                selectinload(LLMClient.llmclientplugin_set),
                selectinload(LLMClient.llmclientapikey_set),
                joinedload(LLMClient.published_revision),
                joinedload(LLMClient.account),
            )
            .order_by(LLMClient.name, LLMClient.id)
        )
        return list(db.session.scalars(query).unique())

    def documents(self, account: Account) -> Iterator[Values]:
        known = around.known_of(account)
        for row in self.all_of(account):
            yield self.document_of(self._read(row, known), self.status(row))

    def read(self, row: LLMClient) -> Values:
        return self._read(row, None)

    def _read(self, row: LLMClient, known: around.Known | None) -> Values:
        content = revisions.content_of(row)
        found = {name: content[column] for name, column in CONFIGURATION.items()}
        return {
            "name": row.name,
            "owner": row.user_profile.user.username,
            **found,
            **around.read(row, known),
        }

    def status(self, row: LLMClient) -> Values:
        return around.status(row)

    def first_values(self, given: Values, person: Person) -> Values:
        suggested = first_values(around.providers_of(person))
        found = {name: suggested.get(column) for name, column in CONFIGURATION.items()}
        if "provider" in given:
            found["defaultModel"] = ""  # that of the provider, unless the manifest names one
        lists = {"tags": [], "functions": [], "appExamplePrompts": [], "annotations": {}}
        return {
            **{name: "" if value is None else value for name, value in found.items()},
            **lists,
            "appFileAttachment": False,
            "owner": person.user.username,
            **around.NOTHING,
        }

    def refusal(self, row: LLMClient | None, person: Person) -> str:
        if not person.profile.may_edit:
            return "Your role in this account does not allow this."
        if row is None or person.is_admin or self._is_own(row, person):
            return ""
        return "Members change only their own clients."

    def form_of(
        self, sent: MultiDict[str, str], row: LLMClient | None, person: Person
    ) -> FlaskForm:
        owner = row.user_profile if row is not None else person.profile
        return LLMClientForm(
            around.providers_of(person),
            lambda name: registration.preview(name, owner, row).problem,
            formdata=sent,
            meta=NO_CSRF,
        )

    def settle(self, row: LLMClient | None, form: Any, values: Values, person: Person) -> Values:
        found = super().settle(row, form, values, person)
        found["tags"] = sorted(found["tags"])
        found["functions"] = sorted(found["functions"])
        if row is None or found["owner"] != row.user_profile.user.username:
            found["owner"] = (row.user_profile.user if row is not None else person.user).username
        return around.settled(found, person)

    def remarks(
        self, row: LLMClient | None, given: Values, changed: set[str], person: Person
    ) -> list[str]:
        owner = row.user_profile.user.username if row is not None else person.user.username
        told = []
        if given.get("owner", owner) != owner:
            told.append(f"{given['owner']} has no client of this name here: it is {owner}’s.")
        return told + around.remarks(row, given, changed)

    def store(
        self,
        row: LLMClient | None,
        form: LLMClientForm,
        values: Values,
        changed: set[str],
        person: Person,
    ) -> LLMClient:
        if row is None:
            row = self._create(form, values, person)
            changed = changed - {"allowedOrigins"}  # it was made with them
        elif changed & {"name", "plugins", *CONFIGURATION}:
            self._update(row, form, values, changed, person)
        around.store(row, values, changed, person)
        return row

    def _create(self, form: LLMClientForm, values: Values, person: Person) -> LLMClient:
        owner: UserProfile = person.profile
        llm_client = LLMClient(
            account=owner.account,
            account_id=owner.account_id,
            user_profile=owner,
            name=form.name.data,
        )
        _show_uploads(llm_client, values)
        editing.fill(llm_client, form)
        around.set_plugins(llm_client, values["plugins"], person)
        llm_client.allowed_origins = values["allowedOrigins"]
        registration.register(llm_client, _author(person), NOTE)
        after = revisions.content_of(llm_client)
        if values["allowedOrigins"]:
            after["allowed_origins"] = values["allowedOrigins"]
        audit.record(person.actor, "created", llm_client, after=after)
        return llm_client

    def _update(
        self,
        row: LLMClient,
        form: LLMClientForm,
        values: Values,
        changed: set[str],
        person: Person,
    ) -> None:
        before = {"name": row.name, **revisions.content_of(row)}
        if "plugins" in changed:
            around.set_plugins(row, values["plugins"], person)
        _show_uploads(row, values)
        form.note.data = NOTE
        moved = editing.update(row, form, _author(person))
        after = {"name": row.name, **revisions.content_of(row)}
        names = [name for name in after if before.get(name) != after[name]]
        audit.record(
            person.actor,
            "edited",
            row,
            before={name: before.get(name) for name in names},
            after={name: after[name] for name in names},
        )
        if moved:
            move(row, person.now, _author(person))


def _show_uploads(row: LLMClient, values: Values) -> None:
    """The form of the pages takes files: what is stored already is named."""
    for name in around.UPLOADS.values():
        setattr(row, CONFIGURATION[name], values[name])


def _author(person: Person) -> User:
    return person.user
