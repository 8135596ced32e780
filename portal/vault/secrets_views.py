"""The account's named secrets: made, replaced, deleted; never shown."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, url_for

from portal.accounts import audit
from portal.database import db
from portal.vault import named
from portal.vault.models import Secret
from portal.vault.named import SecretError
from portal.vault.secret_forms import DeleteSecretForm, SecretForm, ValueForm
from portal.web import ADMIN, VIEWER, FormActor, permits, said

blueprint = Blueprint("secrets", __name__, url_prefix="/secrets")


def owned_or_404(secret_id: int, *, lock: bool = False) -> Secret:
    """The account's own secret."""
    found = named.for_account(g.account.id, secret_id, lock=lock)
    if found is None:
        abort(404)
    return found


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """By name, each with where it is used; and references that lead nowhere."""
    found, uses = named.all_of(g.account.id), named.uses_of(g.account.id)
    known = {secret.name for secret in found}
    return render_template(
        "secrets/index.html",
        secrets=found,
        uses=defaultdict(list, uses),
        missing={name: places for name, places in sorted(uses.items()) if name not in known},
    )


@blueprint.route("/new", methods=["GET", "POST"])
@permits(ADMIN)
def new() -> Any:
    """Store a value under a name."""
    form = SecretForm()
    if form.validate_on_submit():
        try:
            secret = named.make(g.account.id, form.name.data or "", form.value.data or "")
        except SecretError as error:
            form.name.errors = [*form.name.errors, error.public_message]
        else:
            audit.record(FormActor(), "secret_created", secret)
            db.session.commit()
            said(f"{secret.name} is stored. Enter secret:{secret.name} where it is wanted.")
            return redirect(url_for(".index"), 303)
    return render_template("secrets/edit.html", form=form, secret=None), _code_of(form)


@blueprint.route("/<row_id:secret_id>/", methods=["GET", "POST"])
@permits(ADMIN)
def edit(secret_id: int) -> Any:
    """Store another value in its place."""
    secret, form = owned_or_404(secret_id), ValueForm()
    if form.validate_on_submit():
        named.replace(secret, form.value.data or "")
        audit.record(FormActor(), "secret_replaced", secret)
        db.session.commit()
        said(f"{secret.name} has its new value, everywhere it is used.")
        return redirect(url_for(".index"), 303)
    page = render_template("secrets/edit.html", form=form, secret=secret, uses=_uses_of(secret))
    return page, _code_of(form)


@blueprint.route("/<row_id:secret_id>/delete", methods=["GET", "POST"])
@permits(ADMIN)
def delete(secret_id: int) -> Any:
    """Forget one that nothing uses."""
    secret, form = owned_or_404(secret_id, lock=True), DeleteSecretForm()
    uses = _uses_of(secret)
    if form.validate_on_submit() and not uses:
        audit.record(FormActor(), "secret_deleted", secret)
        name = secret.name
        db.session.delete(secret)
        db.session.commit()
        said(f"{name} is deleted.")
        return redirect(url_for(".index"), 303)
    page = render_template("secrets/delete.html", secret=secret, form=form, uses=uses)
    return page, (422 if form.is_submitted() else 200)


def _uses_of(secret: Secret) -> list[named.Use]:
    return named.uses_of(secret.account_id).get(secret.name, [])


def _code_of(form: ValueForm) -> int:
    return 422 if form.errors else 200
