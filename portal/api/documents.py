"""Things as JSON, and what is sent for them, through the tables of the manifests."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import IntegrityError

from portal.api import asking
from portal.api.problems import Refusal
from portal.database import db
from portal.errors import PortalError
from portal.manifests import applying
from portal.manifests.applying import Actions, Change
from portal.manifests.checking import Problem, checked
from portal.manifests.fields import API_VERSION
from portal.manifests.kinds import KINDS
from portal.manifests.reading import Document

WRONG = "Something of what was sent cannot be."
TAKEN = "The account has something of this name already."


def shown(kind_name: str, row: Any) -> dict[str, Any]:
    """A row as its manifest."""
    return KINDS[kind_name].document(row)


def applied(kind_name: str, sent: dict[str, Any], row: Any = None) -> Change:
    """Make or change a thing as a manifest would, and commit. Raises Refusal.

    `row` is the one to change; without one it must be new.
    """
    kind = KINDS[kind_name]
    values = {"apiVersion": API_VERSION, "kind": kind_name, **sent}
    if (values["apiVersion"], values["kind"]) != (API_VERSION, kind_name):
        raise Refusal(422, f"This is for {API_VERSION} and the kind {kind_name}.")
    document = Document(values, {}, 0)
    found = checked(document, kind.fields)
    if found.problems:
        raise Refusal(422, WRONG, found.problems)
    try:
        if row is None and kind.find(found.given, asking.person()) is not None:
            raise Refusal(409, TAKEN)
        change = applying.apply_values(kind, found, asking.person(), document, row)
        if change.action == Actions.REFUSED:
            raise Refusal(422, WRONG, change.problems)
        db.session.commit()
    except IntegrityError as error:
        raise Refusal(409, TAKEN) from error
    except PortalError as error:
        name = getattr(error, "field", "")
        paths = [one.path for one in kind.fields if one.name == name]
        problems = [Problem(path, error.public_message) for path in paths]
        raise Refusal(422, error.public_message, problems) from error
    return change


def page_of(items: list[Any], following: str | None) -> dict[str, Any]:
    """A page of a list; `next` is the cursor of the one after it."""
    return {"items": items, "next": following}
