"""What holds for the whole account: its name, zone, currency, and how its people sign in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, url_for

from portal.database import db
from portal.people import account_settings
from portal.people.forms import AccountForm
from portal.web import ADMIN, FormActor, permits, said

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.route("/", methods=["GET", "POST"])
@permits(ADMIN)
def index() -> Any:
    """Change what holds for everybody."""
    form = AccountForm(obj=g.account)
    if form.validate_on_submit():
        account_settings.change(g.account, form.data, FormActor())
        db.session.commit()
        said("The settings of the account are saved.")
        return redirect(url_for(".index"), 303)
    page = render_template("users/settings.html", form=form)
    return page, (422 if form.errors else 200)
