"""The account's providers of language models and their keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from sqlalchemy import column as sql_column
from sqlalchemy import func, select, table
from sqlalchemy.exc import IntegrityError

from portal.accounts import audit
from portal.database import db, utc_now
from portal.formatting import StatusView
from portal.job_queue import enqueue
from portal.llm_providers.catalogue import VENDORS
from portal.providers import checking, finding
from portal.providers.forms import DeleteProviderForm, ProviderForm
from portal.providers.jobs import check_provider
from portal.providers.models import Provider
from portal.web import ADMIN, VIEWER, FormActor, not_modified, permits, said

blueprint = Blueprint("providers", __name__, url_prefix="/providers")
POLL_MS = 1_500


@dataclass(frozen=True)
class Row:
    """One provider of the list."""

    name: str
    label: str
    base_url: str
    default_model: str
    has_key: bool
    key_hint: str
    is_demo: bool
    used_by: int
    check_status: StatusView
    check_sentence: str
    checked_at: datetime | None
    edit_url: str | None
    delete_url: str | None
    test_url: str | None


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
        "rows": [_row(provider, used.get(provider.name, 0)) for provider in found],
        "poll_url": url_for(".status"),
        "poll_after_ms": POLL_MS if is_running else None,
    }


@blueprint.post("/<row_id:provider_id>/test")
@permits(ADMIN)
def test(provider_id: int) -> Any:
    """Ask the provider for its models with the stored key, in the background."""
    provider = owned_or_404(provider_id)
    _begin_test(provider)
    audit.record(FormActor(), "provider_tested", provider)
    db.session.commit()
    return redirect(url_for(".index"), 303)


def _begin_test(provider: Provider) -> None:
    now = utc_now()
    checking.begin(provider, now)
    enqueue(check_provider, provider.id, key=f"{provider.id}-{provider.generation}")


def _row(provider: Provider, used_by: int) -> Row:
    credential = provider.credential
    return Row(
        name=provider.name,
        label=provider.label or provider.name,
        base_url=finding.base_url_of(provider),
        default_model=provider.default_model,
        has_key=credential is not None,
        key_hint=credential.hint if credential else "",
        is_demo=provider.is_demo,
        used_by=used_by,
        check_status=checking.LOOKS[provider.check_state],
        check_sentence=provider.message,
        checked_at=provider.checked_at,
        edit_url=None if provider.is_demo else url_for(".edit", provider_id=provider.id),
        delete_url=None if provider.is_demo else url_for(".delete", provider_id=provider.id),
        test_url=None if provider.is_demo else url_for(".test", provider_id=provider.id),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@permits(ADMIN)
def new() -> Any:
    """Add a provider; `?vendor=` fills in what is known of one."""
    form = ProviderForm(data=_known(request.args.get("vendor", "")))
    if form.validate_on_submit():
        label = next((v.label for v in VENDORS if v.name == form.name.data), form.name.data)
        provider = Provider(account_id=g.account.id, name=form.name.data, label=label)
        try:
            _store(provider, form, "created")
        except IntegrityError:
            db.session.rollback()
            form.name.errors = [*form.name.errors, "The account has a provider of this name."]
        else:
            said(f"{provider.name} is added. Choose it in a client’s configuration.")
            return redirect(url_for(".index"), 303)
    return _form_page(form, None)


def _known(vendor_name: str) -> dict[str, Any]:
    vendor = next((entry for entry in VENDORS if entry.name == vendor_name), None)
    if vendor is None or vendor.name == "demo":
        return {}
    return {
        "name": vendor.name,
        "base_url": vendor.base_url,
        "default_model": vendor.default_model,
        "models": "\n".join(model.name for model in vendor.models),
    }


def _store(provider: Provider, form: ProviderForm, action: str) -> None:
    provider.base_url = form.base_url.data or ""
    provider.default_model = (form.default_model.data or "").strip()
    known = {model["name"]: model for model in provider.models or _catalogued(form.name.data)}
    provider.models = [known.get(row["name"], row) for row in form.model_rows()]
    db.session.add(provider)
    db.session.flush()
    if form.api_key.data:
        finding.set_key(provider, form.api_key.data)
        _begin_test(provider)
    audit.record(
        FormActor(),
        f"provider_{action}",
        provider,
        after={"base_url": provider.base_url, "key": "replaced" if form.api_key.data else "kept"},
    )
    db.session.commit()


def _catalogued(name: str | None) -> list[dict[str, Any]]:
    vendor = next((entry for entry in VENDORS if entry.name == name), None)
    return [
        {"name": model.name, "max_output_tokens": model.max_output_tokens}
        for model in (vendor.models if vendor else ())
    ]


def _form_page(form: ProviderForm, provider: Provider | None) -> Any:
    vendors = [vendor for vendor in VENDORS if vendor.name != "demo"]
    credential = provider.credential if provider else None
    page = render_template(
        "providers/edit.html",
        form=form,
        provider=provider,
        has_key=credential is not None,
        key_hint=credential.hint if credential else "",
        vendors=[(vendor.label, url_for(".new", vendor=vendor.name)) for vendor in vendors],
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
            "models": "\n".join(provider.model_names),
        },
    )
    form.name.data = provider.name
    if form.validate_on_submit():
        _store(provider, form, "changed")
        said(f"{provider.name} is saved. Clients use it from now on.")
        return redirect(url_for(".index"), 303)
    return _form_page(form, provider)


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
