"""For whoever runs the platform: shut a person out of all accounts, and let them in again."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for

from portal.database import db, utc_now
from portal.people import disabling
from portal.people.forms import ConfirmForm
from portal.people.membership import MembershipError
from portal.people.users_views import blueprint, member_or_404
from portal.web import SUPERUSER, FormActor, permits, said


@blueprint.route("/<row_id:profile_id>/disable", methods=["GET", "POST"])
@permits(SUPERUSER)
def disable(profile_id: int) -> Any:
    """Nobody signs in as them until they are enabled again."""
    user, form = member_or_404(profile_id).user, ConfirmForm()
    if form.validate_on_submit():
        try:
            disabling.disable(user, FormActor(), utc_now())
        except MembershipError as error:
            db.session.rollback()
            form.form_errors.append(str(error))
        else:
            db.session.commit()
            said(f"{user.username} is disabled. Their next request is refused.")
            return redirect(url_for(".index"), 303)
    page = render_template("users/disable.html", user=user, form=form)
    return page, (422 if form.form_errors else 200)


@blueprint.post("/<row_id:profile_id>/enable")
@permits(SUPERUSER)
def enable(profile_id: int) -> Any:
    """They may sign in again."""
    user = member_or_404(profile_id).user
    if not user.is_enabled:
        disabling.enable(user, FormActor())
        db.session.commit()
    said(f"{user.username} may sign in again.")
    return redirect(url_for(".index"), 303)
