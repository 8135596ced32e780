"""Proofs for an authority: what a host shows under /.well-known/acme-challenge/ while asked."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import delete, select

from portal.certificates.models import OpenChallenge
from portal.database import db
from portal.tls import Challenge

TOKEN = re.compile(r"[A-Za-z0-9_-]{20,128}\Z")


def show(certificate_name: str, challenges: Iterable[Challenge]) -> None:
    """Let the hosts answer these from the next commit on; those of older orders go."""
    wanted = {(one.host, one.token): one for one in challenges if one.kind == "http-01"}
    query = select(OpenChallenge).where(OpenChallenge.certificate_name == certificate_name)
    for row in db.session.scalars(query):
        if wanted.pop((row.host, row.token), None) is None:
            db.session.delete(row)
    for one in wanted.values():
        row = OpenChallenge(certificate_name=certificate_name, host=one.host)
        row.token, row.content = one.token, one.content
        db.session.add(row)


def hide(certificate_name: str) -> None:
    """The order is over: nothing is answered any more."""
    query = delete(OpenChallenge).where(OpenChallenge.certificate_name == certificate_name)
    db.session.execute(query.execution_options(synchronize_session="fetch"))


def answer(host: str, token: str) -> str | None:
    """What this very host answers; None for any other token, whatever its form."""
    if not TOKEN.match(token):
        return None
    return db.session.scalar(
        select(OpenChallenge.content).where(
            OpenChallenge.host == host, OpenChallenge.token == token
        )
    )
