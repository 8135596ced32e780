"""The kind Limits: how much may be asked of a client, with a key, and in the whole account."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.accounts.models import Account
from portal.database import db
from portal.limits import editing, finding
from portal.limits.forms import AccountLimitsForm, ClientLimitsForm, KeyLimitsForm, values_of
from portal.limits.models import Limits, SubjectKinds
from portal.llm_clients.models import LLMClient
from portal.manifests.client_surroundings import providers_of
from portal.manifests.clients import ClientKind
from portal.manifests.fields import Field, Types, metadata
from portal.manifests.keys import KeyKind
from portal.manifests.kind import NO_CSRF, Kind, Person, Refused, Values
from portal.manifests.providers import units
from portal.vault.models import AuthToken

ABSENT = "What they are for is not here yet: apply this again when it is."
FORMS: dict[str, type[FlaskForm]] = {
    SubjectKinds.ACCOUNT: AccountLimitsForm,
    SubjectKinds.CLIENT: ClientLimitsForm,
    SubjectKinds.KEY: KeyLimitsForm,
}


@dataclass(frozen=True)
class Subject:
    """Whose limits they are, and the row of them, None where nobody set any."""

    kind: SubjectKinds
    thing: Any
    limits: Limits | None

    @property
    def id(self) -> str:
        """What tells it from other subjects."""
        return f"{self.kind}-{self.thing.id}"


def _number(name: str, about: str, form: str) -> Field:
    type_ = Types.NUMBER if form.endswith("_micros") else Types.INTEGER
    return Field(name, about, type_, form=form, is_nullable=True)


class LimitsKind(Kind):
    """Limits, found by what they are for."""

    name = "Limits"
    about = "Rates and budgets of a client, a key or the account; null leaves the default."
    form_class = ClientLimitsForm
    fields = (
        metadata("subject", "What they are for.", choices=tuple(str(one) for one in SubjectKinds)),
        metadata("name", "Name of the client or key; empty for the account."),
        metadata("owner", "User name of the client’s owner."),
        _number("addressRate", "Prompts a minute from one address; of a client.", "address_rate"),
        _number("sessionRate", "Prompts a minute in one session; of a client.", "session_rate"),
        _number("keyRate", "Prompts a minute; of a key.", "key_rate"),
        _number(
            "concurrent", "Answers at the same time; of a client or the account.", "concurrent"
        ),
        _number("dayTokens", "Tokens a day.", "day_tokens"),
        _number("dayMoney", "Money a day, in the account’s currency.", "day_micros"),
        _number("monthTokens", "Tokens a month.", "month_tokens"),
        _number("monthMoney", "Money a month.", "month_micros"),
        Field("reachedWords", "What a client says when a budget is used up.", form="reached_words"),
        Field("cheaperProvider", "Who answers then instead.", form="cheaper_provider"),
        Field("cheaperModel", "With which model.", form="cheaper_model"),
    )

    def find(self, given: Values, person: Person) -> Subject | None:
        kind = given.get("subject")
        if kind is None:
            raise Refused("subject", "Say what they are for: account, client or key.")
        thing: Any = person.account
        if kind == SubjectKinds.CLIENT:
            thing = ClientKind().find(_named(given), person)
        elif kind == SubjectKinds.KEY:
            thing = KeyKind().find(_named(given), person)
        if thing is None:
            return None
        return _subject(person.account, SubjectKinds(kind), thing)

    def all_of(self, account: Account) -> list[Subject]:
        rows = db.session.scalars(
            select(Limits).where(Limits.account_id == account.id).order_by(Limits.kind, Limits.id)
        )
        found = list(rows)
        things: dict[tuple[str, int], Any] = {(SubjectKinds.ACCOUNT, account.id): account}
        for kind, model in ((SubjectKinds.CLIENT, LLMClient), (SubjectKinds.KEY, AuthToken)):
            numbers = [row.subject_id for row in found if row.kind == kind]
            query = select(model).where(model.account_id == account.id, model.id.in_(numbers))
            things |= {(kind, one.id): one for one in db.session.scalars(query).unique()}
        present = [(row, things.get((row.kind, row.subject_id))) for row in found]
        return [Subject(row.kind, thing, row) for row, thing in present if thing is not None]

    def read(self, row: Subject) -> Values:
        stored, own = editing.values_of(row.limits), _own_fields(row.kind)
        found: Values = {"subject": row.kind.value}
        if row.kind != SubjectKinds.ACCOUNT:
            found["name"] = row.thing.name
        if row.kind == SubjectKinds.CLIENT:
            found["owner"] = row.thing.user_profile.user.username
        for one in own:
            value = stored.get(one.form)
            found[one.name] = _shown(one, value)
        return found

    def refusal(self, row: Subject | None, person: Person) -> str:
        if row is not None and row.kind == SubjectKinds.CLIENT:
            return ClientKind().refusal(row.thing, person)
        return super().refusal(row, person)

    def left_out(self, row: Subject | None, given: Values, person: Person) -> str:
        return ABSENT if row is None else ""

    def sent(self, values: Values) -> MultiDict[str, str]:
        own = {one.name for one in _own_fields(SubjectKinds(values["subject"]))}
        for one in self.fields:
            if one.form and one.name in values and one.name not in own:
                told = f"{one.name} is no limit of a {values['subject']}."
                raise Refused(one.name, told)
        return super().sent(values)

    def _texts(self, field: Field, value: Any) -> list[str]:
        if value is not None and field.type == Types.NUMBER:
            return [format(Decimal(str(value)), "f")]
        return super()._texts(field, value)

    def form_of(self, sent: MultiDict[str, str], row: Subject, person: Person) -> FlaskForm:
        form_class, options = FORMS[row.kind], {"formdata": sent, "meta": NO_CSRF}
        if row.kind == SubjectKinds.CLIENT:
            return ClientLimitsForm(providers_of(person), **options)
        return form_class(**options)

    def settle(self, row: Subject, form: Any, values: Values, person: Person) -> Values:
        for one in _own_fields(row.kind):
            values[one.name] = _shown(one, form[one.form].data)
        if row.kind == SubjectKinds.CLIENT:
            values["owner"] = row.thing.user_profile.user.username
        if row.kind == SubjectKinds.ACCOUNT:
            values.pop("name", None)
        return values

    def title(self, values: Values) -> str:
        return f"of {values.get('subject', '')} {values.get('name', '')}".strip()

    def store(
        self, row: Subject, form: Any, values: Values, changed: set[str], person: Person
    ) -> Subject:
        editing.store(person.account, row.kind, row.thing, values_of(form), person.actor)
        return _subject(person.account, row.kind, row.thing)


def _subject(account: Account, kind: SubjectKinds, thing: Any) -> Subject:
    return Subject(kind, thing, finding.of_subject(account, kind, thing.id))


def _named(given: Values) -> Values:
    return {name: given[name] for name in ("name", "owner") if name in given}


def _own_fields(kind: SubjectKinds) -> list[Field]:
    """Those that the subject's form has."""
    return [one for one in LimitsKind.fields if one.form and hasattr(FORMS[kind], one.form)]


def _shown(one: Field, value: Any) -> Any:
    if one.type == Types.NUMBER and value is not None:
        return units(int(value))
    return (value or "") if one.type == Types.STRING else value
