"""What may stand in an address; anything else is no route."""

from __future__ import annotations

from flask import request
from werkzeug.routing import BaseConverter, IntegerConverter, Map


class RowId(IntegerConverter):
    """A row's number, as large as a database keeps; anything larger is no route."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


class PublicId(BaseConverter):
    """A client's number or its hashed id; anything else is no route."""

    regex = r"[0-9]{1,18}|[a-z][a-z0-9]{19}"


class SetupToken(BaseConverter):
    """What a set-up link carries: letters, digits, `_`, `-` and `.`, as itsdangerous writes it."""

    regex = r"[A-Za-z0-9_.-]{20,700}"


class Digest(BaseConverter):
    """A SHA-256 in hexadecimal digits."""

    regex = r"[0-9a-f]{64}"


class LinkToken(BaseConverter):
    """The secret of a link that was sent by mail (portal/people/link_tokens.py)."""

    regex = r"[A-Za-z0-9_-]{43}"


class ProofToken(BaseConverter):
    """A token of a certificate authority (RFC 8555 section 8.3); anything else is no route."""

    regex = r"[A-Za-z0-9_-]{20,128}"


def number_argument(name: str) -> int | None:
    """A positive number of the query string that an INTEGER column can hold, else None."""
    found = request.args.get(name, type=int)
    return found if found is not None and 0 < found < 2**31 else None
