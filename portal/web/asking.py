"""Whoever asks, for views and verbs: the person, their time zone, what is told and where to."""

from __future__ import annotations

from typing import Any

from flask import flash, g, request, url_for
from flask_login import current_user


def zone() -> str:
    """The time zone of the account that is being looked at."""
    account = g.get("account")
    return account.timezone if account else "UTC"


def myself() -> Any:
    """The signed-in person's row itself, where the stand-in of flask_login will not do."""
    return current_user._get_current_object()


class FormActor:
    """The signed-in person as the audit log sees them."""

    by = "form"

    @property
    def account_id(self) -> int | None:
        account = g.get("account")
        return account.id if account else None

    @property
    def user_id(self) -> int | None:
        return current_user.id if current_user.is_authenticated else None

    @property
    def address(self) -> str:
        return request.remote_addr or ""


def said(message: str, category: str = "ready") -> None:
    """A sentence at the top of the next page; the category is a status token."""
    flash(message, category)


def safe_next(target: str | None) -> str:
    """A path on this site to go to after sign-in; anything else becomes the overview."""
    cleaned = (target or "").replace("\t", "").replace("\r", "").replace("\n", "")
    if not cleaned.startswith("/") or cleaned.startswith("//") or "\\" in cleaned:
        return url_for("overview.index")
    return cleaned
