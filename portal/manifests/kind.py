"""What every kind of manifest can do: be found, read, checked by its form, stored."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from portal.accounts.audit import Actor
from portal.accounts.models import Account, User, UserProfile
from portal.llm_clients.image_making import MadeImage
from portal.manifests.fields import API_VERSION, Field, Parts, Types
from portal.manifests.kind_errors import Refused
from portal.vault import named

NO_CSRF = {"csrf": False}  # who asks was checked by whoever asks for it: page, command, API
ADMINS_ONLY = "Only admins of the account may change this."
Values = dict[str, Any]
Known = TypeVar("Known")


@dataclass(frozen=True)
class Person:
    """Who applies, in which account, by what means, and when.

    `known` is what many documents of one transaction ask for, asked once; `secrets` are those of
    what was made, each shown once to whoever applies; `drawn` are images by use and name, which
    take long to draw: while somebody plans, not while the database waits for what is applied.
    """

    account: Account
    profile: UserProfile
    user: User
    actor: Actor
    now: datetime
    known: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)
    secrets: list[str] = dataclasses.field(default_factory=list, repr=False, compare=False)
    drawn: dict[tuple[str, str], MadeImage] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def is_admin(self) -> bool:
        return self.profile.role == "admin"

    def once(self, what: str, ask: Callable[[], Known]) -> Known:
        """The answer to a question about the account, until `forget`."""
        if what not in self.known:
            self.known[what] = ask()
        found: Known = self.known[what]
        return found

    def forget(self, *what: str) -> None:
        """Ask anew for these, for everything if none is named."""
        for name in what or tuple(self.known):
            self.known.pop(name, None)


class Kind:
    """One kind. Subclasses know the rows; the fields say the rest.

    Values are those of a manifest, by the names of the fields, metadata and spec together.
    """

    name = ""
    about = ""
    form_class: type[FlaskForm] | None = None
    fields: tuple[Field, ...] = ()
    separators: dict[str, str] = {}  # noqa: RUF012 - of lists that a form takes as one text
    outdates: tuple[str, ...] = ()  # what a person has asked `once` and that a stored row changes

    def find(self, given: Values, person: Person) -> Any:
        """The account's row that the metadata names, held until the commit; None if absent."""
        raise NotImplementedError

    def all_of(self, account: Account) -> Iterable[Any]:
        """Every row of the account, in the order of an export."""
        raise NotImplementedError

    def read(self, row: Any) -> Values:
        """What the row says now, without status; of a secret its name, "" if it has none."""
        raise NotImplementedError

    def status(self, row: Any) -> Values:
        """What only the portal writes."""
        return {}

    def first_values(self, given: Values, person: Person) -> Values:
        """What a new row has where the manifest says nothing."""
        return {}

    def refusal(self, row: Any, person: Person) -> str:
        """Why the person may not do it; "" if they may."""
        return "" if person.is_admin else ADMINS_ONLY

    def form_of(self, sent: MultiDict[str, str], row: Any, person: Person) -> FlaskForm:
        """The form of the pages with these values; its rules are the rules."""
        raise NotImplementedError

    def store(self, row: Any, form: Any, values: Values, changed: set[str], person: Person) -> Any:
        """Do it by the verbs of the pages, with their events; the row. May raise Refused."""
        raise NotImplementedError

    def settle(self, row: Any, form: Any, values: Values, person: Person) -> Values:
        """The values as they would be stored, by the checked form. May raise Refused."""
        for field in self.fields:
            is_plain = not field.is_secret and field.type != Types.OBJECTS
            if is_plain and field.form and field.form in form:
                values[field.name] = form[field.form].data
        return values

    def add_secrets(self, sent: MultiDict[str, str], given: Values, person: Person) -> None:
        """Put references to the named secrets into what is sent. Raises Refused for absent ones."""
        for field in self.fields:
            name = given.get(field.name) if field.is_secret else None
            if not name:
                continue
            if named.by_name(person.account.id, name) is None:
                told = f"The account has no secret named {name[:100]}. Make it under Secrets first."
                raise Refused(field.name, told)
            sent[field.form] = f"{named.PREFIX}{name}"

    def left_out(self, row: Any, given: Values, person: Person) -> str:
        """Why nothing is to be done about it, "" where there is."""
        return ""

    def remarks(self, row: Any, given: Values, changed: set[str], person: Person) -> list[str]:
        """What the reader should know before it is applied."""
        return []

    def title(self, values: Values) -> str:
        """How lists call the thing."""
        return str(values.get("name") or "")

    def sent(self, values: Values) -> MultiDict[str, str]:
        """The values as a browser would send them."""
        found: MultiDict[str, str] = MultiDict()
        for field in self.fields:
            if field.form and not field.is_secret and field.name in values:
                for text in self._texts(field, values.get(field.name)):
                    found.add(field.form, text)
        return found

    def _texts(self, field: Field, value: Any) -> list[str]:
        if value is None:
            return [""]
        if field.type == Types.BOOLEAN:
            return ["y"] if value else []
        if field.type in (Types.OBJECT, Types.JSON):
            return [json.dumps(value, ensure_ascii=False)]
        if field.type == Types.STRINGS:
            return self._joined(field, value)
        return [str(value)]

    def _joined(self, field: Field, value: list[str]) -> list[str]:
        separator = self.separators.get(field.name, "\n")
        if not separator:
            return value
        if any(separator.strip(" ") in one for one in value):
            what = "a comma" if "," in separator else "a line break"
            raise Refused(field.name, f"An entry of {field.name} must not contain {what}.")
        return [separator.join(value)]

    def document(self, row: Any) -> Values:
        """The row as a manifest."""
        return self.document_of(self.read(row), self.status(row))

    def documents(self, account: Account) -> Iterator[Values]:
        """All of the account, in a number of queries that does not grow with them."""
        for row in self.all_of(account):
            yield self.document(row)

    def document_of(self, values: Values, seen: Values) -> Values:
        """The same of values and status that are known already."""
        parts: dict[str, Any] = {"apiVersion": API_VERSION, "kind": self.name}
        for part in (Parts.METADATA, Parts.SPEC):
            own = [one for one in self.fields if one.part == part and one.name in values]
            if own:
                parts[part.value] = {one.name: values[one.name] for one in own}
        if seen:
            parts["status"] = seen
        return parts
