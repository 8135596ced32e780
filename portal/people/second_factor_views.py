"""A person’s second factor: enrolment, recovery codes, removal; and accounts that want one."""

from __future__ import annotations

from typing import Any

from flask import abort, g, redirect, render_template, request, url_for
from flask_login import current_user

from portal.accounts import audit, signing_in
from portal.accounts.mails import mail_to
from portal.database import current_settings, db, utc_now
from portal.people import qr_codes, second_factors, totp, who_asks
from portal.people.confirming import is_confirmed
from portal.people.forms import CodeForm, ConfirmingForm
from portal.people.models import TotpFactor
from portal.people.views import blueprint
from portal.web import SIGNED_IN, FormActor, error_page, myself, permits, said

# What a person may use in an account that wants a second factor, before they have one.
BEFORE_ENROLMENT = {
    "static",
    "accounts.second_factor",
    "accounts.begin_second_factor",
    "accounts.enrol",
    "accounts.sessions",
    "accounts.revoke_session",
    "accounts.revoke_all_sessions",
    "accounts.own_passkeys",
    "accounts.begin_passkey",
    "accounts.new_passkey",
    "accounts.logout",
    "accounts.switch",
    "accounts.leave",
    "accounts.theme",
    "accounts.invitation",
    "accounts.follow_invitation",
}
NEEDED = "This account wants everybody to have a second factor. Add yours first."
NOTICE = """{what} for {username}.

If it was not you, change your password at once and tell an admin of your account.
"""


def lead_to_enrolment() -> Any:
    """Before each request: in an account that wants it, nothing comes before the second factor."""
    account = g.get("account")
    if account is None or not account.requires_second_factor:
        return None
    if current_user.first_password_until is not None:
        return None  # it is exchanged before anything else, this too
    if request.endpoint in BEFORE_ENROLMENT or second_factors.has_one(current_user):
        return None
    if request.method != "GET" or request.headers.get("X-Requested-With") == "fetch":
        return error_page(403, NEEDED)
    return redirect(url_for("accounts.second_factor"), 303)


@blueprint.get("/account/second-factor")
@permits(SIGNED_IN)
def second_factor() -> str:
    """Whether there is one, and what can be done about it."""
    return _page(ConfirmingForm())


def _page(form: ConfirmingForm) -> str:
    factor = second_factors.factor_of(current_user)
    return render_template(
        "accounts/second_factor.html",
        form=form,
        factor=factor if factor and factor.confirmed_at else None,
        codes_left=second_factors.recovery_codes_left(current_user),
        has_one=second_factors.has_one(current_user),
    )


@blueprint.post("/account/second-factor/begin")
@permits(SIGNED_IN)
def begin_second_factor() -> Any:
    """A new key, shown on the next page and counted when a code of it was typed."""
    form = ConfirmingForm()
    if not (form.validate_on_submit() and is_confirmed(form)):
        return _page(form), 422
    second_factors.begin(current_user)
    db.session.commit()
    return redirect(url_for(".enrol"), 303)


@blueprint.route("/account/second-factor/enrol", methods=["GET", "POST"])
@permits(SIGNED_IN)
def enrol() -> Any:
    """The key as a picture and as text, and the first code of the app."""
    factor = second_factors.factor_of(current_user)
    if factor is None or factor.confirmed_at is not None:
        return redirect(url_for(".second_factor"), 303)
    form = CodeForm()
    if form.validate_on_submit():
        if second_factors.confirm(factor, form.code.data or "", utc_now()):
            return _enrolled()
        form.code.errors = ["The app shows another code. Is its clock right?"]
    return _enrolment_page(factor, form), (422 if form.errors else 200)


def _enrolment_page(factor: TotpFactor, form: CodeForm) -> str:
    key = second_factors.key_of(factor)
    uri = totp.uri(key, current_user.username, current_settings().platform_host)
    return render_template(
        "accounts/enrol.html", form=form, code=qr_codes.drawn(uri), key=totp.in_groups(key)
    )


def _enrolled() -> str:
    """From now on asked for; the recovery codes are on the page that answers, and nowhere else."""
    signing_in.revoke_all(current_user, utc_now(), but=g.user_session)
    codes = second_factors.new_recovery_codes(current_user)
    told("second_factor_added", "A second factor was added")
    who_asks.renew_session()
    db.session.commit()
    return render_template("accounts/recovery_codes.html", codes=codes)


def told(action: str, what: str) -> None:
    """The audit log and the person themselves."""
    audit.record_of_person(FormActor(), action, myself())
    text = NOTICE.format(what=what, username=current_user.username)
    db.session.add(mail_to(current_user, g.account.id, what, text, utc_now()))


@blueprint.post("/account/second-factor/codes")
@permits(SIGNED_IN)
def renew_recovery_codes() -> Any:
    """Ten other codes; those from before are worth nothing."""
    form = _confirmed_or_404()
    if form.errors:
        return _page(form), 422
    codes = second_factors.new_recovery_codes(current_user)
    told("recovery_codes_renewed", "New recovery codes were made")
    db.session.commit()
    return render_template("accounts/recovery_codes.html", codes=codes)


@blueprint.post("/account/second-factor/remove")
@permits(SIGNED_IN)
def remove_second_factor() -> Any:
    """Sign in with the password alone from now on."""
    form = _confirmed_or_404()
    if form.errors:
        return _page(form), 422
    second_factors.remove(current_user)
    told("second_factor_removed", "The second factor was removed")
    who_asks.renew_session()
    db.session.commit()
    said("The authenticator app is not asked for any more.", "attention")
    return redirect(url_for(".second_factor"), 303)


def _confirmed_or_404() -> ConfirmingForm:
    """The form with the present password; its errors say that it was wrong."""
    form = ConfirmingForm()
    if not second_factors.has_one(current_user):
        abort(404)
    if form.validate_on_submit():
        is_confirmed(form)
    return form
