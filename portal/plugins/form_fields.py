"""Fields of the plugin forms: JSON data, lines, headers, and a table of parameters."""

from __future__ import annotations

import json
import re
from typing import Any

from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice

from portal.form_rules import (
    NOT_STORABLE,
    finite_number,
    is_storable,
    refuse_constant,
    texts_in,
)
from portal.plugins import static
from portal.plugins.parameters import (
    BODY,
    LONGEST_DESCRIPTION,
    MOST_PARAMETERS,
    NAME,
    PATH,
    QUERY,
    TYPES,
    Parameter,
)

LEAST_ROWS = 3
NOT_DATA = 'Must be JSON: an object such as {"open": "9 to 17"}, or a list.'
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~-]{1,60}\Z", re.ASCII)
HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,1000}\Z")
# What belongs to the connection and not to the request.
OUR_HEADERS = frozenset(
    (
        *("accept-encoding", "connection", "content-length", "expect", "host", "keep-alive"),
        *("proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding"),
        "upgrade",
    )
)


class LinesField(TextAreaField):
    """A list of texts, one on each line; empty ones and repetitions are dropped."""

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else "\n".join(self.data or [])

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]) if valuelist else ""
        lines = (" ".join(line.split()) for line in text.splitlines())
        self.data = list(dict.fromkeys(line for line in lines if line))


class JSONDataField(TextAreaField):
    """An object or a list as JSON, at most 64 KB, 20 levels deep, no key twice."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else json.dumps(self.data, indent=2, ensure_ascii=False)

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = None
        text = str(valuelist[0]).strip() if valuelist else ""
        if len(text.encode("utf-8", "replace")) > static.LARGEST:
            raise ValidationError("Must be at most 64 KB.")
        try:
            found = json.loads(
                text,
                parse_constant=refuse_constant,
                parse_float=finite_number,
                object_pairs_hook=_once,
            )
        except (ValueError, RecursionError) as error:
            raise ValidationError(_words(error)) from error
        if not isinstance(found, dict | list):
            raise ValidationError(NOT_DATA)
        if not all(is_storable(leaf) for leaf in texts_in(found)):
            raise ValidationError(NOT_STORABLE)
        self.data = found


def _words(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError) and error.doc:
        return f"{NOT_DATA} It breaks off at line {error.lineno}, column {error.colno}."
    return str(error) if isinstance(error, _Twice) else NOT_DATA


class _Twice(ValueError):
    """A key that stands twice in an object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Twice(f"The key {twice[:60]} stands twice in one object.")
    return found


class HeadersField(LinesField):
    """Request headers, `Name: value` on each line, as a dictionary in `headers`."""

    headers: dict[str, str]

    def pre_validate(self, form: Any) -> None:
        self.headers = {}
        for line in self.data or []:
            name, colon, value = line.partition(":")
            check_header_name(name.strip())
            if not colon or not HEADER_VALUE.match(value.strip()):
                raise ValidationError(f"Write each header as Name: value, unlike {line[:40]}.")
            self.headers[name.strip()] = value.strip()
        if len(self.headers) > 20:
            raise ValidationError("At most 20 headers.")


def check_header_name(name: str) -> None:
    """Raises ValidationError for what is no header's name, and for those that are ours to set."""
    if not HEADER_NAME.match(name):
        raise ValidationError(f"{name[:40] or 'An empty text'} is not the name of a header.")
    if name.lower() in OUR_HEADERS:
        raise ValidationError(f"The header {name} is set by the portal.")


class ParameterForm(Form):
    """One row of the table; a row without a name is none."""

    name = StringField("Name")
    type = SelectField(
        "Type",
        choices=[SelectChoice(value=name, label=name) for name in TYPES],
        validate_choice=False,
    )
    where = SelectField(
        "Goes into",
        choices=[
            SelectChoice(value=PATH, label="address"),
            SelectChoice(value=QUERY, label="query"),
            SelectChoice(value=BODY, label="body"),
        ],
        default=QUERY,
        validate_choice=False,
    )
    required = BooleanField("Required")
    description = StringField("What it is, for the model")


class ParametersField(FieldList):
    """The table of parameters, always with empty rows to add more; `parameters` are the result."""

    parameters: tuple[Parameter, ...]

    def __init__(self, label: str, **bound: Any) -> None:
        super().__init__(FormField(ParameterForm), label, max_entries=MOST_PARAMETERS, **bound)

    def process(self, *arguments: Any, **options: Any) -> None:
        """As FieldList, then room for more rows."""
        super().process(*arguments, **options)
        filled = sum(1 for entry in self.entries if (entry.form.name.data or "").strip())
        wanted = min(MOST_PARAMETERS, max(LEAST_ROWS, filled + 2))
        while len(self.entries) < wanted:
            self.append_entry()

    def read(self) -> tuple[Parameter, ...]:
        """The rows that have a name. Raises ValidationError with one sentence."""
        found = tuple(_parameter(entry.form) for entry in self.entries if _is_named(entry.form))
        names = [parameter.name for parameter in found]
        for name in names:
            if names.count(name) > 1:
                raise ValidationError(f"The parameter {name} stands there twice.")
        self.parameters = found
        return found


def _is_named(row: Any) -> bool:
    return bool((row.name.data or "").strip() or (row.description.data or "").strip())


def _parameter(row: Any) -> Parameter:
    name, description = (row.name.data or "").strip(), (row.description.data or "").strip()
    if not NAME.match(name):
        told = name[:40] or "A parameter without a name"
        raise ValidationError(
            f"{told} is not a name: at most 40 letters, digits and _, starting with a letter."
        )
    if row.type.data not in TYPES or row.where.data not in (PATH, QUERY, BODY, None):
        raise ValidationError(f"Choose a type and a place for {name} from the lists.")
    if len(description) > LONGEST_DESCRIPTION or not is_storable(description):
        raise ValidationError(
            f"The description of {name} must be a text of at most {LONGEST_DESCRIPTION} characters."
        )
    where = row.where.data or QUERY
    is_required = bool(row.required.data) or where == PATH
    return Parameter(name, row.type.data, description, is_required, where)
