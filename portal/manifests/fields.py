"""What a kind of manifest is made of: a table of fields, and the limits that its form has. Pure.

From this one table come parsing, the difference, the export, the JSON schema and the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wtforms.validators import InputRequired, Length, NumberRange

API_VERSION = "portal/v1"


class Types(StrEnum):
    """What a field holds."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRINGS = "list of texts"
    OBJECT = "object"
    TEXTS = "object of texts"
    OBJECTS = "list of objects"
    JSON = "object or list"


class Parts(StrEnum):
    """Where a field stands."""

    METADATA = "metadata"
    SPEC = "spec"
    STATUS = "status"


@dataclass(frozen=True)
class Field:
    """One field: how it is called, what it holds, in which words it is explained.

    `form` is the field of the kind's form that checks it, "" where the kind does. A secret is
    the name of one, never its value. None stands for the default of a nullable field.
    """

    name: str
    about: str
    type: Types = Types.STRING
    part: Parts = Parts.SPEC
    form: str = ""
    is_read_only: bool = False
    is_secret: bool = False
    is_nullable: bool = False
    choices: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.part.value}.{self.name}"


@dataclass(frozen=True)
class Bounds:
    """What a form's validators say in numbers; None where they say nothing."""

    longest: int | None = None
    least: float | None = None
    most: float | None = None
    is_required: bool = False


def metadata(name: str, about: str, type: Types = Types.STRING, **more: Any) -> Field:
    """A field that says which thing it is."""
    return Field(name, about, type, Parts.METADATA, **more)


def status(name: str, about: str, type: Types = Types.STRING, **more: Any) -> Field:
    """A field that the portal alone writes."""
    return Field(name, about, type, Parts.STATUS, is_read_only=True, **more)


def bounds_of(form_class: type | None, field: Field) -> Bounds:
    """The limits of the form's field, so that they stand in one place."""
    unbound = getattr(form_class, field.form, None) if field.form else None
    longest, least, most, is_required = None, None, None, False
    for validator in _validators(unbound):
        if isinstance(validator, Length):
            longest = validator.max if validator.max > 0 else longest
        elif isinstance(validator, NumberRange):
            least, most = validator.min, validator.max
        elif isinstance(validator, InputRequired):
            is_required = True
    return Bounds(longest, least, most, is_required)


def _validators(unbound: Any) -> Iterator[Any]:
    """Those that a field was declared with; WTForms keeps them until a form is made."""
    if unbound is None:
        return
    given = (*getattr(unbound, "args", ()), *getattr(unbound, "kwargs", {}).values())
    for argument in given:
        if isinstance(argument, list):
            yield from argument
