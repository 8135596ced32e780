"""Signing on with another portal as the person that one is here already: to link and to unlink."""

from __future__ import annotations

from typing import Any

from flask import abort, g, redirect, render_template, url_for
from flask_login import current_user

from portal.adapters import current_adapters
from portal.database import db
from portal.errors import AdapterError
from portal.open_id import OpenIdProvider
from portal.people import linking, sign_on_views
from portal.people.confirming import is_confirmed
from portal.people.forms import ConfirmingForm
from portal.people.second_factor_views import told
from portal.people.sign_on import SignOnError
from portal.people.views import blueprint
from portal.web import SIGNED_IN, permits, said


def _provider_or_404() -> OpenIdProvider:
    found = current_adapters().sign_on
    if found is None:
        abort(404)
    return found


@blueprint.get("/account/sign-on")
@permits(SIGNED_IN)
def own_sign_on() -> Any:
    """Whether one is linked, and the form to change that."""
    return _page(_provider_or_404(), ConfirmingForm())


def _page(provider: OpenIdProvider, form: ConfirmingForm) -> Any:
    row = linking.identity_of(current_user, provider.settings.issuer)
    page = render_template(
        "accounts/sign_on.html",
        form=form,
        row=row,
        provider=provider.settings,
        is_only_way=linking.is_only_way(current_user),
    )
    return page, (422 if form.errors else 200)


@blueprint.post("/account/sign-on/link")
@permits(SIGNED_IN)
def link_sign_on() -> Any:
    """After the present password: the page that leads to the provider, for this session only.

    A link and not a redirect, because a form of ours may lead to no other site (form-action).
    """
    provider, form = _provider_or_404(), ConfirmingForm()
    if not (form.validate_on_submit() and is_confirmed(form)):
        return _page(provider, form)
    session_id = g.user_session.id
    db.session.rollback()  # nothing is held while the provider is asked
    try:
        address = sign_on_views.way_there(provider, "", session_id)
    except AdapterError as error:
        form.form_errors.append(error.public_message)
        return _page(provider, form)
    return render_template("accounts/sign_on_go.html", address=address, provider=provider.settings)


@blueprint.post("/account/sign-on/unlink")
@permits(SIGNED_IN)
def unlink_sign_on() -> Any:
    """That identity opens nothing any more, unless it is the only way in."""
    provider, form = _provider_or_404(), ConfirmingForm()
    row = linking.identity_of(current_user, provider.settings.issuer)
    if row is None:
        abort(404)
    if not (form.validate_on_submit() and is_confirmed(form)):
        return _page(provider, form)
    try:
        linking.unlink(row)
    except SignOnError as error:
        form.form_errors.append(error.public_message)
        return _page(provider, form)
    told("sign_on_unlinked", f"The sign-on with {provider.settings.name} was unlinked")
    db.session.commit()
    said(f"{provider.settings.name} does not sign you in any more.")
    return redirect(url_for(".own_sign_on"), 303)
