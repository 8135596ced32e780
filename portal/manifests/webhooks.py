"""The kind Webhook: a program that is told what happened. Its secret is never told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.accounts.models import Account
from portal.database import db
from portal.manifests.fields import Field, Types, metadata, status
from portal.manifests.kind import NO_CSRF, Kind, Person, Refused, Values
from portal.notices import webhooks
from portal.notices.kinds import FOR_WEBHOOKS
from portal.notices.webhook_models import Webhook
from portal.notifications import webhook_changes
from portal.notifications.webhook_forms import WebhookForm
from portal.vault import named

SHOWN_ONCE = "It gets a signing secret, which is shown once: when this has been applied."
TWO = "The account has several webhooks of this name. Give them names of their own first."


class WebhookKind(Kind):
    """Webhooks, found by name."""

    name = "Webhook"
    about = "A program that is told what happened. Its signing secret is in no manifest."
    form_class = WebhookForm
    separators = {"kinds": ""}  # noqa: RUF012 - as in Kind
    fields = (
        metadata("name", "What it is called.", form="name"),
        Field("url", "The address that messages are sent to.", form="url"),
        Field(
            "kinds",
            f"What it is told: {', '.join(FOR_WEBHOOKS)}.",
            Types.STRINGS,
            form="kinds",
        ),
        Field(
            "authorizationSecret",
            "Name of the secret with its Authorization header.",
            form="authorization",
            is_secret=True,
        ),
        Field("active", "Whether messages are sent to it.", Types.BOOLEAN),
        status("id", "Its number.", Types.INTEGER),
        status("offReason", "Why the portal switched it off."),
        status("hasAuthorization", "Whether a header is stored.", Types.BOOLEAN),
    )

    def find(self, given: Values, person: Person) -> Webhook | None:
        query = select(Webhook).where(
            Webhook.account_id == person.account.id, Webhook.name == str(given.get("name") or "")
        )
        held = query.limit(2).with_for_update().execution_options(populate_existing=True)
        found = list(db.session.scalars(held))
        if len(found) > 1:
            raise Refused("name", TWO)
        return found[0] if found else None

    def all_of(self, account: Account) -> list[Webhook]:
        return webhooks.of_account(account.id)

    def read(self, row: Webhook) -> Values:
        return {
            "name": row.name,
            "url": row.url,
            "kinds": list(row.kinds),
            "authorizationSecret": named.name_in(webhooks.typed_authorization(row)),
            "active": row.is_active,
        }

    def status(self, row: Webhook) -> Values:
        has_header = bool(row.sealed_authorization)
        return {"id": row.id, "offReason": row.off_reason, "hasAuthorization": has_header}

    def first_values(self, given: Values, person: Person) -> Values:
        kinds = [str(kind) for kind in FOR_WEBHOOKS]
        return {"kinds": kinds, "authorizationSecret": "", "active": True}

    def form_of(
        self, sent: MultiDict[str, str], row: Webhook | None, person: Person
    ) -> WebhookForm:
        if row is None and webhooks.is_full(person.account.id):
            raise Refused("name", webhook_changes.FULL)
        return WebhookForm.of(row, formdata=sent, meta=NO_CSRF)

    def remarks(
        self, row: Webhook | None, given: Values, changed: set[str], person: Person
    ) -> list[str]:
        return [SHOWN_ONCE] if row is None else []

    def store(
        self, row: Webhook | None, form: Any, values: Values, changed: set[str], person: Person
    ) -> Webhook:
        wanted = form.wanted()
        if row is None:
            row, secret = webhook_changes.make(person.account.id, wanted, person.actor)
            person.secrets.append(secret)
        elif changed - {"active"}:
            webhook_changes.change(row, wanted, person.actor)
        if row.is_active != values["active"]:
            webhook_changes.switch(row, person.actor)
        return row
