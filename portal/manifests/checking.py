"""A document against the table of its kind: what is unknown, of the wrong type, or not to be set.

Pure. What a value may be is said by the forms of the pages, later; here only its shape.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from portal.errors import PortalError
from portal.form_rules import is_storable
from portal.manifests.fields import API_VERSION, Field, Parts, Types
from portal.manifests.reading import Document, Path

TOP = ("apiVersion", "kind", "metadata", "spec", "status")
SHAPES: dict[Types, tuple[tuple[type, ...], str]] = {
    Types.STRING: ((str,), "a text; put it in quotes if it looks like something else"),
    Types.INTEGER: ((int,), "a whole number"),
    Types.NUMBER: ((int, float), "a number"),
    Types.BOOLEAN: ((bool,), "true or false"),
    Types.STRINGS: ((list,), "a list of texts"),
    Types.OBJECT: ((dict,), "an object"),
    Types.TEXTS: ((dict,), "an object with a text for each name"),
    Types.OBJECTS: ((list,), "a list of objects"),
    Types.JSON: ((dict, list), "an object or a list"),
}


@dataclass(frozen=True)
class Problem:
    """Why a document cannot be applied; `path` is of the field, `line` 0 where there is none."""

    path: str
    sentence: str
    line: int = 0


@dataclass
class Checked:
    """What a document asks for, by the names of its fields."""

    given: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def kind_name_of(document: Document, known: Iterable[str]) -> str:
    """Which kind the document says it is. Raises PortalError."""
    values, names = document.values, sorted(known)
    if not isinstance(values, dict):
        raise _refused(document, (), "A manifest has apiVersion, kind, metadata and spec.")
    version = values.get("apiVersion")
    if version != API_VERSION:
        raise _refused(document, ("apiVersion",), f"apiVersion must be {API_VERSION}.")
    name = values.get("kind")
    if name not in names:
        shown = f"{name[:60]} is no kind." if isinstance(name, str) else "Say which kind it is."
        told = _suggestion(str(name), names) or f"There are {', '.join(names)}."
        raise _refused(document, ("kind",), f"{shown} {told}")
    return str(name)


def _refused(document: Document, path: Path, sentence: str) -> PortalError:
    return PortalError(f"Line {document.line_of(*path)}: {sentence}")


def checked(document: Document, fields: tuple[Field, ...]) -> Checked:
    """The document's fields in their types; problems with their lines, remarks on the rest."""
    found = Checked()
    for key in document.values:
        if key not in TOP:
            _tell(found, document, (key,), f"Unknown field `{key[:60]}`.", _suggestion(key, TOP))
    for part in (Parts.METADATA, Parts.SPEC):
        _check_part(found, document, part, fields)
    if document.values.get("status") is not None:
        found.remarks.append("status is what the portal saw: it is read-only and was left out.")
    return found


def _check_part(found: Checked, document: Document, part: Parts, fields: tuple[Field, ...]) -> None:
    values = document.values.get(part.value)
    if values is None:
        return
    if not isinstance(values, dict):
        _tell(found, document, (part.value,), f"{part.value} must be an object.")
        return
    known = {one.name: one for one in fields if one.part == part}
    elsewhere = {one.name: one.part.value for one in fields if one.part != part}
    for name, value in values.items():
        path = (part.value, name)
        if name not in known:
            moved = f"It belongs into {elsewhere[name]}." if name in elsewhere else ""
            hint = moved or _suggestion(name, known)
            _tell(found, document, path, f"Unknown field `{name[:60]}`.", hint)
        elif known[name].is_read_only:
            found.remarks.append(f"{known[name].path} is read-only and was left out.")
        else:
            _check_value(found, document, path, known[name], value)


def _check_value(found: Checked, document: Document, path: Path, wanted: Field, value: Any) -> None:
    if value is None and wanted.is_nullable:
        found.given[wanted.name] = None
        return
    if wanted.is_secret and value in (None, ""):
        return  # as in the form: nothing keeps what is stored
    problem = problem_with(wanted, value)
    if problem:
        _tell(found, document, path, problem)
    elif wanted.type == Types.OBJECTS:
        _check_objects(found, document, path, wanted, value)
    else:
        found.given[wanted.name] = value


def _check_objects(
    found: Checked, document: Document, path: Path, wanted: Field, value: list[Any]
) -> None:
    known, before = {one.name: one for one in wanted.fields}, len(found.problems)
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            _tell(found, document, (*path, number), f"{wanted.name} must be a list of objects.")
            continue
        for name, inner in entry.items():
            problem, hint = _problem_inside(known, name, inner)
            if problem:
                _tell(found, document, (*path, number, name), problem, hint)
    if len(found.problems) == before:
        found.given[wanted.name] = value


def _problem_inside(known: dict[str, Field], name: str, value: Any) -> tuple[str, str]:
    if name not in known:
        return f"Unknown field `{name[:60]}`.", _suggestion(name, known)
    if value is None and known[name].is_nullable:
        return "", ""
    return problem_with(known[name], value), ""


def problem_with(wanted: Field, value: Any) -> str:
    """Why a value is not of the field's type; "" if it is."""
    types, words = SHAPES[wanted.type]
    is_bool = isinstance(value, bool) and wanted.type != Types.BOOLEAN
    fits = isinstance(value, types) and not is_bool
    if fits and wanted.type == Types.STRINGS:
        fits = all(isinstance(one, str) for one in value)
    if fits and wanted.type == Types.TEXTS:
        fits = all(isinstance(one, str) for one in value.values())
    if not fits:
        return f"{wanted.name} must be {words}."
    if wanted.choices and value not in wanted.choices:
        return f"{wanted.name} must be one of {', '.join(wanted.choices)}."
    if isinstance(value, str) and not is_storable(value):
        return f"{wanted.name} contains a character that cannot be stored."
    return ""


def _tell(found: Checked, document: Document, path: Path, sentence: str, hint: str = "") -> None:
    told = f"{sentence} {hint}".strip()
    found.problems.append(Problem(".".join(map(str, path)), told, document.line_of(*path)))


def _suggestion(name: str, known: Iterable[str]) -> str:
    """The nearest name, whatever its case and however somebody writes underscores."""
    plain = {one.replace("_", "").lower(): one for one in known}
    near = difflib.get_close_matches(name.replace("_", "").lower(), plain, n=1, cutoff=0.6)
    return f"Did you mean `{plain[near[0]]}`?" if near else ""
