"""The account's own limits: budgets over all clients and keys, and who of them used what."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, url_for

from portal.database import db, utc_now
from portal.limits import defaults, editing, finding, page
from portal.limits.budgets import budgets_of
from portal.limits.forms import AccountLimitsForm, values_of
from portal.limits.models import SubjectKinds
from portal.web import ADMIN, VIEWER, FormActor, permits, said

blueprint = Blueprint("limits", __name__, url_prefix="/limits")


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """Every budget of the account with its meter."""
    return render_template(
        "limits/index.html",
        subjects=finding.subjects(g.account, utc_now()),
        account_meters=_meters(),
        defaults=defaults,
    )


def _meters() -> list[page.Meter]:
    found = finding.of_subject(g.account, SubjectKinds.ACCOUNT, g.account.id)
    budgets = budgets_of(SubjectKinds.ACCOUNT, g.account.id, editing.values_of(found))
    return page.meters(g.account, list(budgets), utc_now())


@blueprint.route("/account", methods=["GET", "POST"])
@permits(ADMIN)
def edit() -> Any:
    """Change the account's budgets and its ceiling."""
    found = finding.of_subject(g.account, SubjectKinds.ACCOUNT, g.account.id)
    form = AccountLimitsForm(data=editing.values_of(found))
    if form.validate_on_submit():
        editing.store(g.account, SubjectKinds.ACCOUNT, g.account, values_of(form), FormActor())
        db.session.commit()
        said("The account’s limits are saved. They hold from the next prompt on.")
        return redirect(url_for(".index"), 303)
    found_page = render_template(
        "limits/edit.html",
        form=form,
        title="Limits of the account",
        crumbs=[("Limits", url_for(".index"))],
        sentence="They count for all clients and keys together, the sandbox included.",
        meters=_meters(),
        back=url_for(".index"),
        defaults=defaults,
    )
    return found_page, (422 if form.errors else 200)
