"""What holds for the whole account: its name, zone, currency, and how its people sign in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, url_for

from portal.accounts import audit
from portal.accounts.models import Account
from portal.database import db
from portal.people.forms import AccountForm
from portal.web import ADMIN, FormActor, permits, said

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.route("/", methods=["GET", "POST"])
@permits(ADMIN)
def index() -> Any:
    """Change what holds for everybody."""
    form = AccountForm(obj=g.account)
    if form.validate_on_submit():
        before = _told(g.account)
        form.populate_obj(g.account)
        after = _told(g.account)
        if after != before:
            told = {"before": before, "after": after}
            audit.record(
                FormActor(), "account_changed", g.account, name=g.account.company_name, **told
            )
        db.session.commit()
        said("The settings of the account are saved.")
        return redirect(url_for(".index"), 303)
    page = render_template("users/settings.html", form=form)
    return page, (422 if form.errors else 200)


def _told(account: Account) -> dict[str, Any]:
    names = ("company_name", "timezone", "currency", "requires_second_factor", "audit_days")
    return {name: getattr(account, name) for name in names}
