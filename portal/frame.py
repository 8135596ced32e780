"""The frame of every page: who looks, at which account, and the numbers beside the navigation."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from flask import g
from flask_login import current_user
from sqlalchemy import Select, bindparam

from portal.accounts.models import Role
from portal.database import current_settings, db
from portal.domain_setup import finding as domain_finding
from portal.notices import finding as notice_finding
from portal.notices.finding import Reader

_PARAMETERS = ("user_id", "account_id", "created_at")


@cache
def _query(role: Role) -> Select[Any]:
    """Every page asks it; making it takes longer than answering it, so it is made once."""
    reader = Reader(*map(bindparam, _PARAMETERS), role)
    return domain_finding.counts(reader.account_id, notice_finding.count_unseen(reader))


class NavigationCounts:
    """Numbers beside the navigation, asked for only where it is drawn."""

    @cached_property
    def _numbers(self) -> tuple[int, ...]:
        profile = g.get("profile")
        if profile is None:
            return 0, 0, 0
        values = {name: getattr(profile, name) for name in _PARAMETERS}
        return tuple(map(int, db.session.execute(_query(profile.role), values).one()))

    @property
    def llm_clients(self) -> int:
        return self._numbers[0]

    @property
    def custom_domains(self) -> int:
        return self._numbers[1]

    @property
    def unseen(self) -> int:
        """Notices that are new to the person."""
        return self._numbers[2]


def values() -> dict[str, Any]:
    """What the frame of every page shows."""
    return {
        "current_user": current_user,
        "account": g.get("account"),
        "profile": g.get("profile"),
        "profiles": g.get("profiles", []),
        "nav_counts": NavigationCounts(),
        "demo_answers": current_settings().is_local,
        "theme": current_user.theme if current_user.is_authenticated else "",
    }
