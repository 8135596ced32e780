"""How one wants to be told: beside name, password and mail address."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy.exc import IntegrityError
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from portal.accounts import audit
from portal.accounts.models import UserProfile
from portal.database import db
from portal.notices import preferences
from portal.notices.kinds import RULES, Kind, Way
from portal.people.views import blueprint
from portal.web import SIGNED_IN, FormActor, permits, said

USUAL = "usual"
CHOICES = {
    Way.MAIL: "By mail and in the portal",
    Way.PORTAL: "In the portal only",
    Way.NOTHING: "Not at all",
}


def _name(kind: Kind) -> str:
    """Of a field: `way_deployment_done`."""
    return f"way_{kind.replace('.', '_')}"


def _form(profile: UserProfile) -> FlaskForm:
    """A field for each kind that the person may choose for."""
    chosen = preferences.chosen(profile.user_id)
    fields: dict[str, SelectField] = {}
    for kind in _open_kinds(profile):
        usual = f"As usual: {preferences.usual_words(kind, profile)}"
        choices = [SelectChoice(USUAL, usual), *(SelectChoice(k, v) for k, v in CHOICES.items())]
        fields[_name(kind)] = SelectField(RULES[kind].label, choices=choices)
    form_class = type("PreferenceForm", (FlaskForm,), fields)
    return form_class(data={_name(kind): way.value for kind, way in chosen.items()})


def _open_kinds(profile: UserProfile) -> list[Kind]:
    kinds = preferences.kinds_for(profile)
    return [kind for kind in kinds if not preferences.is_fixed(kind, profile)]


@blueprint.route("/account/notifications", methods=["GET", "POST"])
@permits(SIGNED_IN)
def notifications() -> Any:
    """By kind: mail, portal, nothing. Mails about security always come."""
    form = _form(g.profile)
    if form.validate_on_submit():
        _store(form)
        said("Saved. It holds from the next notice on.")
        return redirect(url_for(".notifications"), 303)
    groups: dict[str, list[Any]] = {}
    for kind in _open_kinds(g.profile):
        groups.setdefault(RULES[kind].group, []).append(form[_name(kind)])
    always = [
        RULES[kind].label
        for kind in preferences.kinds_for(g.profile)
        if preferences.is_fixed(kind, g.profile)
    ]
    page = render_template("accounts/notifications.html", form=form, groups=groups, always=always)
    return page, (422 if form.errors else 200)


def _store(form: FlaskForm) -> None:
    before = preferences.chosen(current_user.id)
    ways = {
        kind: None if form[_name(kind)].data == USUAL else Way(form[_name(kind)].data)
        for kind in _open_kinds(g.profile)
    }
    preferences.choose(current_user.id, ways)
    told = (
        {kind.value: way.value for kind, way in before.items()},
        {kind.value: way.value for kind, way in ways.items() if way is not None},
    )
    name = current_user.username
    try:
        audit.record(
            FormActor(),
            "notice_preferences_changed",
            current_user,
            before=told[0],
            after=told[1],
            name=name,
        )
        db.session.commit()
    except IntegrityError:  # the same form came twice at once, and the other one is stored
        db.session.rollback()
