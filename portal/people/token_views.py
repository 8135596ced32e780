"""A person's tokens for the API, each for the account that is looked at.

A token's text is on the page that answers the POST which made it, and nowhere else.
"""

from __future__ import annotations

from typing import Any

from flask import abort, g, redirect, render_template, url_for

from portal.accounts import audit
from portal.database import db, utc_now
from portal.people import personal_tokens
from portal.people.confirming import is_confirmed
from portal.people.forms import ConfirmForm, TokenForm
from portal.people.personal_tokens import TooMany
from portal.people.views import blueprint
from portal.web import SIGNED_IN, FormActor, permits, said


@blueprint.get("/account/tokens")
@permits(SIGNED_IN)
def own_tokens() -> Any:
    """Every token that works here, and the form for another one."""
    return _page(TokenForm())


def _page(form: TokenForm) -> Any:
    rows = personal_tokens.working(g.profile, utc_now())
    page = render_template("accounts/tokens.html", form=form, rows=rows)
    return page, (422 if form.errors else 200)


@blueprint.post("/account/tokens")
@permits(SIGNED_IN)
def make_token() -> Any:
    """Make one after the present password, and show it once."""
    form, now = TokenForm(), utc_now()
    if not (form.validate_on_submit() and is_confirmed(form)):
        return _page(form)
    try:
        made = personal_tokens.make(
            g.profile, form.name.data, form.may_write.data == "write", now + form.lifetime, now
        )
    except TooMany as error:
        form.name.errors = [error.public_message]
        return _page(form)
    told = {"prefix": made.row.prefix, "may_write": made.row.may_write}
    audit.record(FormActor(), "personal_token_made", made.row, after=told)
    db.session.commit()
    return render_template("accounts/token_made.html", row=made.row, token_text=made.text)


@blueprint.route("/account/tokens/<row_id:personal_token_id>/revoke", methods=["GET", "POST"])
@permits(SIGNED_IN)
def revoke_token(personal_token_id: int) -> Any:
    """Refuse a token from the next request on."""
    now, form = utc_now(), ConfirmForm()
    row = personal_tokens.for_profile(g.profile, personal_token_id, now)
    if row is None:
        abort(404)
    if form.validate_on_submit():
        personal_tokens.revoke(row, now)
        told = {"prefix": row.prefix}
        audit.record(FormActor(), "personal_token_revoked", row, before=told)
        db.session.commit()
        said(f"{row.name} is revoked. It is refused from now on.")
        return redirect(url_for(".own_tokens"), 303)
    return render_template("accounts/revoke_token.html", row=row)
