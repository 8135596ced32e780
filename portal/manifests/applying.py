"""One document against the account: what it would change, and doing it. Never commits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from portal.errors import PortalError
from portal.llm_clients.revisions import Difference, difference
from portal.manifests.checking import Checked, Problem, checked, kind_name_of
from portal.manifests.fields import Field
from portal.manifests.kind import Kind, Person, Refused, Values
from portal.manifests.kinds import KINDS
from portal.manifests.reading import Document

_EMPTY = (None, "", False)


class Actions(StrEnum):
    """What becomes of a thing."""

    CREATE = "create"
    CHANGE = "change"
    NOTHING = "nothing"
    REFUSED = "refused"


@dataclass(frozen=True)
class Change:
    """What one document does, or why it cannot; `made_from` is a hash of what it was made from.

    `secret` is one that was made by it, to be shown this once.
    """

    kind: str
    title: str
    action: Actions
    line: int = 0
    differences: tuple[Difference, ...] = ()
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()
    made_from: str = ""
    row: Any = field(default=None, repr=False, compare=False)
    secret: str = field(default="", repr=False, compare=False)

    @property
    def is_refused(self) -> bool:
        return self.action == Actions.REFUSED


def apply_document(document: Document, person: Person) -> Change:
    """Do what a document says in the running transaction; a refusal is in the change itself."""
    try:
        kind = KINDS[kind_name_of(document, KINDS)]
    except PortalError as error:
        problem = Problem("", error.public_message, document.line)
        return Change("", "", Actions.REFUSED, document.line, problems=(problem,))
    found = checked(document, kind.fields)
    title = kind.title(found.given)
    if found.problems:
        return _refused(kind, title, document, found)
    try:
        return apply_values(kind, found, person, document)
    except PortalError as error:
        found.problems.append(_problem(kind, getattr(error, "field", ""), error, document))
    return _refused(kind, title, document, found)


def apply_values(
    kind: Kind, found: Checked, person: Person, document: Document, row: Any = None
) -> Change:
    """The same for values of the right shape; `row` where it is known. May raise Refused."""
    row = kind.find(found.given, person) if row is None else row
    if refusal := kind.refusal(row, person):
        raise Refused("", refusal)
    if told := kind.left_out(row, found.given, person):
        remarks = (*found.remarks, told)
        title = kind.title(found.given)
        return Change(kind.name, title, Actions.NOTHING, document.line, remarks=remarks)
    before = kind.read(row) if row is not None else {}
    first = before if row is not None else kind.first_values(found.given, person)
    wanted = {**first, **found.given}
    sent = kind.sent(wanted)
    kind.add_secrets(sent, found.given, person)
    form = kind.form_of(sent, row, person)
    if not form.validate():
        found.problems.extend(_form_problems(kind, form, found.given, document))
        return _refused(kind, kind.title(wanted), document, found)
    after = kind.settle(row, form, wanted, person)
    changed = _changed(kind, before, after)
    differences = _differences(kind, before, after, changed)
    if row is not None and not changed:
        action = Actions.NOTHING
    else:
        action = Actions.CREATE if row is None else Actions.CHANGE
    told = (*found.remarks, *kind.remarks(row, found.given, changed, person))
    mark = _mark(kind, before, after, changed)
    if action != Actions.NOTHING:
        row = kind.store(row, form, after, changed, person)
        if kind.outdates:
            person.forget(*kind.outdates)
    return Change(
        kind.name, kind.title(after), action, document.line, differences, (), told, mark, row
    )


def _changed(kind: Kind, before: Values, after: Values) -> set[str]:
    names = [one.name for one in kind.fields if not one.is_read_only]
    return {name for name in names if _differs(before.get(name), after.get(name))}


def _differs(before: Any, after: Any) -> bool:
    if _is_empty(before) and _is_empty(after):
        return before is not None and after is not None and before != after
    return bool(before != after)


def _is_empty(value: Any) -> bool:
    return value in _EMPTY or value == [] or value == {}


def _differences(
    kind: Kind, before: Values, after: Values, changed: set[str]
) -> tuple[Difference, ...]:
    told = [one for one in kind.fields if one.name in changed and not one.is_read_only]
    found = (_difference(one, before, after) for one in told)
    return tuple(one for one in found if one is not None)


def _difference(one: Field, before: Values, after: Values) -> Difference | None:
    return difference(one.path, before.get(one.name), after.get(one.name))


def _mark(kind: Kind, before: Values, after: Values, changed: set[str]) -> str:
    """A hash of what is there and what would be: another one means that something has happened."""
    kept = {name: value for name, value in after.items() if name in changed}
    text = json.dumps([kind.name, before, kept], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def mark_of(changes: Iterable[Change]) -> str:
    """A hash of a whole plan."""
    marks = [f"{change.action.value}:{change.made_from}" for change in changes]
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()


def _refused(kind: Kind, title: str, document: Document, found: Checked) -> Change:
    problems, remarks = tuple(found.problems), tuple(found.remarks)
    return Change(kind.name, title, Actions.REFUSED, document.line, (), problems, remarks)


def _problem(kind: Kind, name: str, error: PortalError, document: Document) -> Problem:
    known = {one.name: one for one in kind.fields}
    if name not in known:
        return Problem("", error.public_message, document.line)
    one = known[name]
    return Problem(one.path, error.public_message, document.line_of(one.part.value, name))


def _form_problems(kind: Kind, form: Any, given: Values, document: Document) -> Iterable[Problem]:
    """What the form says, at the field of the manifest that it is about."""
    by_form = {one.form: one for one in kind.fields if one.form}
    for name, errors in form.errors.items():
        sentence, one = _sentence(errors), by_form.get(name or "")
        if one is None:
            yield Problem("", sentence, document.line)
            continue
        if one.name not in given:
            sentence = f"{sentence} (the manifest leaves it as it is)"
        yield Problem(
            one.path, f"{one.name}: {sentence}", document.line_of(one.part.value, one.name)
        )


def _sentence(errors: Any) -> str:
    if isinstance(errors, dict):
        return " ".join(_sentence(one) for one in errors.values())
    if isinstance(errors, list | tuple):
        return " ".join(_sentence(one) for one in errors)
    return str(errors)
