"""The API explained on a page of the portal, every operation with a command to try it."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from flask import Blueprint, Flask, render_template

from portal import web
from portal.api import openapi, plane
from portal.api.openapi import Described
from portal.database import current_settings
from portal.web import SIGNED_IN, permits

blueprint = Blueprint("api", __name__, url_prefix="/api")


@dataclass(frozen=True)
class Shown:
    """One operation as the page tells it."""

    one: Described
    anchor: str
    curl: str


@blueprint.get("/")
@permits(SIGNED_IN)
def index() -> str:
    """Every operation, by what it is about."""
    shown = [_shown(one) for one in operations()]
    groups = [
        (tag, list(found)) for tag, found in groupby(shown, key=lambda one: one.one.operation.tag)
    ]
    url = current_settings().platform_url
    return render_template("api/index.html", groups=groups, url=url)


@cache
def operations() -> tuple[Described, ...]:
    """Read from the plane's routes, without its database."""
    bare = Flask("portal_api")
    bare.url_map.converters.update(row_id=web.RowId, public_id=web.PublicId)
    plane.init_app(bare)
    return tuple(openapi.described(bare))


def _shown(one: Described) -> Shown:
    anchor = re.sub(r"\W+", "-", f"{one.method}{one.path}".lower()).strip("-")
    return Shown(one, anchor, _curl(one))


def _curl(one: Described) -> str:
    """To be pasted into a terminal; the token is a name, never one itself."""
    path = re.sub(r"{(\w+)}", lambda match: f"<{match[1]}>", one.path)
    lines = [f"curl {shlex.quote(current_settings().platform_url + path)}"]
    if one.method != "GET":
        lines[0] += f" -X {one.method}"
    lines.append('  -H "Authorization: Bearer $PORTAL_TOKEN"')
    operation = one.operation
    if operation.takes == "yaml":
        lines += ['  -H "Content-Type: application/yaml"', "  --data-binary @account.yaml"]
    elif operation.takes:
        body = json.dumps(operation.example, ensure_ascii=False)
        lines += ['  -H "Content-Type: application/json"', f"  -d {shlex.quote(body)}"]
    return " \\\n".join(lines)
