"""Parts of a page that are not there before somebody wants them: its address names them.

A link leads to the page with the part; static/parts.js fetches it and puts it in the link's place.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import request

ARGUMENT = "with"


def has_part(name: str) -> bool:
    """Whether the address of the page wants this part of it."""
    return name in request.args.getlist(ARGUMENT)


def part_url(name: str) -> str:
    """The address of this page with one part more."""
    kept = [
        (key, value)
        for key, value in request.args.items(multi=True)
        if (key, value) != (ARGUMENT, name)
    ]
    return f"{request.path}?{urlencode([*kept, (ARGUMENT, name)])}"
