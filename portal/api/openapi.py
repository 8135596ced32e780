"""The OpenAPI document (3.1.0), from the routes, what their views tell, and the schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from portal.api.describing import Operation, operation_of
from portal.api.schemas import all_of_them
from portal.web import ANYBODY, permission_of

TITLE = "Portal API"
ABOUT = (
    "The things of an account as JSON: the same documents as the manifests, the same verbs, roles"
    " and limits as the pages. Present a personal token; an account’s things are those of the"
    " account that the token was made for."
)
PROBLEMS = {
    "400": "What was sent is no JSON object.",
    "401": "No token, or one that does not work.",
    "403": "The token only reads, or the person’s role does not allow it.",
    "404": "There is nothing there, or it belongs to another account.",
    "409": "It stands in the way of something that is there.",
    "412": "It is not what If-Match names any more.",
    "422": "A field cannot be as it was sent.",
    "429": "Too many requests; Retry-After tells how long to wait.",
}
_PARAMETER = re.compile(r"<(\w+):(\w+)>")
_KINDS: dict[str, dict[str, Any]] = {
    "row_id": {"type": "integer", "minimum": 0},
    "public_id": {"type": "string", "pattern": "^([0-9]{1,18}|[a-z][a-z0-9]{19})$"},
}
METHODS = ("GET", "POST", "PATCH", "DELETE")


@dataclass(frozen=True)
class Described:
    """One operation with where it is and whom it is for."""

    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]  # converter and name
    operation: Operation
    least: str
    about: str


def described(app: Flask) -> list[Described]:
    """All operations of the plane, by tag and path."""
    found = [one for rule in app.url_map.iter_rules() for one in _of_rule(app, rule)]
    return sorted(found, key=lambda one: (one.operation.tag, one.path, METHODS.index(one.method)))


def _of_rule(app: Flask, rule: Rule) -> Iterator[Described]:
    view = app.view_functions[rule.endpoint]
    operation, permission = operation_of(view), permission_of(app, rule.endpoint)
    if operation is None or permission is None:
        return
    parameters = tuple(_PARAMETER.findall(rule.rule))
    path = _PARAMETER.sub(lambda match: "{" + _camel(match[2]) + "}", rule.rule)
    for method in sorted((rule.methods or set()) & set(METHODS)):
        about = (view.__doc__ or "").strip()
        yield Described(method, path, parameters, operation, permission.least, about)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def document_of(app: Flask, url: str, version: str) -> dict[str, Any]:
    """The whole document; `url` is where the platform answers."""
    paths: dict[str, dict[str, Any]] = {}
    for one in described(app):
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": ABOUT},
        "servers": [{"url": url}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": all_of_them(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Described) -> dict[str, Any]:
    operation = one.operation
    found: dict[str, Any] = {
        "operationId": f"{one.method.lower()}{_words(one.path)}",
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{one.about} For whom: {one.least} and above.",
        "parameters": [*_in_path(one), *_in_query(operation), *_in_headers(one)],
        "responses": {str(operation.status): _answer(operation), **_problems(one)},
    }
    if operation.takes:
        found["requestBody"] = {"required": True, "content": _content(operation.takes)}
        if operation.example:
            found["requestBody"]["content"]["application/json"]["example"] = operation.example
    return found


def _words(path: str) -> str:
    parts = re.findall(r"\w+", path.removeprefix("/api/v1"))
    return "".join(part[:1].upper() + part[1:] for part in parts)


def _in_path(one: Described) -> list[dict[str, Any]]:
    return [
        {"name": _camel(name), "in": "path", "required": True, "schema": _KINDS[kind]}
        for kind, name in one.parameters
    ]


def _in_query(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "description": about, "schema": {"type": "string"}}
        for name, about in operation.query.items()
    ]


def _in_headers(one: Described) -> list[dict[str, Any]]:
    found = []
    if one.method == "POST" and one.operation.takes != "yaml":
        about = "Of your choosing: sent again within a day, the request is done once."
        found.append(_header("Idempotency-Key", about, maxLength=100))
    if one.operation.has_tag and one.method == "GET":
        found.append(_header("If-None-Match", "An ETag: 304 where it is still that."))
    elif one.operation.has_tag and one.parameters:
        found.append(_header("If-Match", "An ETag: 412 where it is not that any more."))
    return found


def _header(name: str, about: str, **limits: int) -> dict[str, Any]:
    schema = {"type": "string", **limits}
    return {"name": name, "in": "header", "description": about, "schema": schema}


def _answer(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {"description": operation.summary}
    if operation.answer:
        found["content"] = _content(operation.answer)
        if operation.has_tag:
            about = "Which state of it this is."
            found["headers"] = {"ETag": {"description": about, "schema": {"type": "string"}}}
    return found


def _content(name: str) -> dict[str, Any]:
    if name == "yaml":
        return {"application/yaml": {"schema": {"type": "string"}}}
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _problems(one: Described) -> dict[str, Any]:
    if one.least == ANYBODY:
        return {}
    is_safe, has_id = one.method == "GET", bool(one.parameters)
    wanted = {"401", "403", "429", "422"} | ({"404"} if has_id or one.operation.query else set())
    wanted |= set() if is_safe else {"400", "409"}
    has_tag = one.operation.has_tag and has_id
    wanted |= {"412"} if has_tag and not is_safe else set()
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": schema}}
    told: dict[str, Any] = {"304": {"description": "It is what If-None-Match names."}}
    unchanged = told if has_tag and is_safe else {}
    found = {code: {"description": PROBLEMS[code], "content": content} for code in sorted(wanted)}
    return {**unchanged, **found}
