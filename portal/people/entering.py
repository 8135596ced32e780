"""After the first factor was right: a session, or the second step first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import redirect, url_for

from portal.accounts.models import User
from portal.database import db
from portal.people import second_factors, second_step, who_asks
from portal.web import safe_next


def enter(user: User, target: str, way: str, now: datetime) -> Any:
    """Where a person goes whose first factor, `way`, was right; commits."""
    if second_factors.has_one(user):
        second_step.begin(user, target, way, now)
        db.session.commit()
        return redirect(url_for("accounts.code"), 303)
    who_asks.start_session(user, way)
    return redirect(safe_next(target), 303)
