"""The account's providers of language models and their keys."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from sqlalchemy import column as sql_column
from sqlalchemy import func, select, table
from sqlalchemy.exc import IntegrityError

from portal.accounts import audit
from portal.database import db, utc_now
from portal.formatting import sign_of
from portal.llm_providers.catalogue import Vendor, vendor_named
from portal.providers import checking, finding, storing
from portal.providers.forms import DeleteProviderForm, ProviderForm
from portal.providers.model_lines import text_of
from portal.providers.models import DEMO, Provider
from portal.providers.prices import NOTED_IN
from portal.providers.rows import cards, model_rows, offered_models, row_of, vendor_models
from portal.web import ADMIN, VIEWER, FormActor, not_modified, permits, said

blueprint = Blueprint("providers", __name__, url_prefix="/providers")
POLL_MS = 1_500


def owned_or_404(provider_id: int) -> Provider:
    """The account's own provider; the demo cannot be changed."""
    found = finding.for_account(g.account, provider_id)
    if found is None or found.is_demo:
        abort(404)
    return found


def _used_by() -> dict[str, int]:
    clients = table("llm_clients", sql_column("provider"), sql_column("account_id"))
    query = (
        select(clients.c.provider, func.count())
        .where(clients.c.account_id == g.account.id)
        .group_by(clients.c.provider)
    )
    return {name: int(total) for name, total in db.session.execute(query)}


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """All of them, the demo first."""
    return render_template("providers/index.html", **_list())


@blueprint.get("/status")
@permits(VIEWER)
def status() -> Any:
    """The list alone, asked for while a key is being tested."""
    return not_modified(render_template("providers/_list.html", **_list()))


def _list() -> dict[str, Any]:
    used = _used_by()
    found = finding.all_of(g.account)
    is_running = any(provider.check_state == checking.RUNNING for provider in found)
    return {
        "rows": [
            row_of(provider, used.get(provider.name, 0), g.account.currency) for provider in found
        ],
        "poll_url": url_for(".status"),
        "poll_after_ms": POLL_MS if is_running else None,
    }


@blueprint.post("/<row_id:provider_id>/test")
@permits(ADMIN)
def test(provider_id: int) -> Any:
    """Ask the provider for its models with the stored key, in the background."""
    provider = owned_or_404(provider_id)
    storing.begin_test(provider, utc_now())
    audit.record(FormActor(), "provider_tested", provider)
    db.session.commit()
    return redirect(url_for(".show", provider_id=provider.id), 303)


@blueprint.get("/<row_id:provider_id>/")
@permits(VIEWER)
def show(provider_id: int) -> str:
    """One of them: its key, its last test, its models with limits and prices."""
    return render_template("providers/show.html", **_one(provider_id))


@blueprint.get("/<row_id:provider_id>/status")
@permits(VIEWER)
def show_status(provider_id: int) -> Any:
    """The same without the page around it, asked for while its key is being tested."""
    return not_modified(render_template("providers/_show.html", **_one(provider_id)))


def _one(provider_id: int) -> dict[str, Any]:
    provider = finding.for_account(g.account, provider_id)
    if provider is None:
        abort(404)
    is_running = provider.check_state == checking.RUNNING
    return {
        "vendor": provider.vendor,
        "provider_id": provider.id,
        "row": row_of(provider, _used_by().get(provider.name, 0), g.account.currency),
        "models": model_rows(provider, g.account.currency),
        "counts_dollars": g.account.currency == NOTED_IN,
        "currency": sign_of(g.account.currency),
        "poll_url": url_for(".show_status", provider_id=provider.id),
        "poll_after_ms": POLL_MS if is_running else None,
    }


@blueprint.route("/new", methods=["GET", "POST"])
@permits(ADMIN)
def new() -> Any:
    """Choose a vendor, then add it: `?vendor=` fills in what is known of one."""
    if request.method == "GET" and "vendor" not in request.args:
        return render_template("providers/choose.html", cards=cards())
    vendor = vendor_named(request.args.get("vendor", ""))
    vendor = None if vendor is None or vendor.name == DEMO else vendor
    form = ProviderForm(data=_known(vendor))
    if form.validate_on_submit():
        provider = storing.new(g.account.id, form.name.data or "")
        try:
            _store(provider, form, "created")
        except IntegrityError:
            db.session.rollback()
            form.name.errors = [*form.name.errors, "The account has a provider of this name."]
        else:
            said(f"{provider.name} is added. Choose it in a client’s configuration.")
            return redirect(url_for(".show", provider_id=provider.id), 303)
    return _form_page(form, None, vendor)


def _known(vendor: Vendor | None) -> dict[str, Any]:
    if vendor is None:
        return {}
    return {
        "name": "" if vendor.name == "own" else vendor.name,
        "base_url": vendor.base_url,
        "default_model": vendor.default_model,
        "models": "\n".join(model.name for model in vendor.models),
    }


def _store(provider: Provider, form: ProviderForm, action: str) -> None:
    storing.store(provider, form.columns(), form.api_key.data or "", action, FormActor(), utc_now())
    db.session.commit()


def _form_page(form: ProviderForm, provider: Provider | None, vendor: Vendor | None) -> Any:
    credential = provider.credential if provider else None
    page = render_template(
        "providers/edit.html",
        form=form,
        provider=provider,
        vendor=vendor,
        has_key=credential is not None,
        currency=sign_of(g.account.currency),
        offered=offered_models(provider, vendor),
        known=vendor_models(vendor) if vendor else [],
    )
    return page, (422 if form.errors else 200)


@blueprint.route("/<row_id:provider_id>/edit", methods=["GET", "POST"])
@permits(ADMIN)
def edit(provider_id: int) -> Any:
    """Change address, models or key; its name stays, since clients use it."""
    provider = owned_or_404(provider_id)
    form = ProviderForm(
        keyed_url=provider.base_url if provider.credential else "",
        data={
            "name": provider.name,
            "base_url": provider.base_url,
            "default_model": provider.default_model,
            "models": text_of(provider.models),
        },
    )
    form.name.data = provider.name
    if form.validate_on_submit():
        _store(provider, form, "changed")
        said(f"{provider.name} is saved. Clients use it from now on.")
        return redirect(url_for(".show", provider_id=provider.id), 303)
    return _form_page(form, provider, provider.vendor)


@blueprint.route("/<row_id:provider_id>/delete", methods=["GET", "POST"])
@permits(ADMIN)
def delete(provider_id: int) -> Any:
    """Delete a provider and its key; clients that use it stop answering."""
    provider = owned_or_404(provider_id)
    form = DeleteProviderForm()
    used_by = _used_by().get(provider.name, 0)
    if form.validate_on_submit():
        audit.record(FormActor(), "provider_deleted", provider)
        db.session.delete(provider)
        db.session.commit()
        said(f"{provider.name} and its key are deleted.")
        return redirect(url_for(".index"), 303)
    return render_template("providers/delete.html", provider=provider, form=form, used_by=used_by)
