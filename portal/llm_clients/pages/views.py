"""Pages of clients: list, new, show, edit, clone, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.exc import IntegrityError

from portal.accounts import audit
from portal.database import db, utc_now
from portal.llm_clients import cloning, finding, registration, revisions
from portal.llm_clients.deployment.jobs import begin, move
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages import editing, form_page, list_page, queries, status_page
from portal.llm_clients.pages.forms import CloneForm, DeleteForm, LLMClientForm
from portal.llm_clients.registration import NameTaken
from portal.providers import finding as provider_finding
from portal.web import MEMBER, VIEWER, FormActor, not_modified, permits, said

blueprint = Blueprint("llm_clients", __name__, url_prefix="/llm-clients")
# With two photos as telephones make them: they are refused with the form as it was typed.
LONGEST_FORM = 12_000_000


def owned_or_404(llm_client_id: str) -> LLMClient:
    """The account's client, or 404 as for one that is not there."""
    found = finding.for_account(g.account, llm_client_id)
    if found is None:
        abort(404)
    return found


def may_edit(llm_client: LLMClient) -> bool:
    """Admins change every client of the account, members their own."""
    if g.profile.role == "admin":
        return True
    return bool(g.profile.may_edit and llm_client.user_profile_id == g.profile.id)


def editable_or_403(llm_client_id: str) -> LLMClient:
    """A client that the person may change."""
    llm_client = owned_or_404(llm_client_id)
    if not may_edit(llm_client):
        abort(403)
    return llm_client


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """The account's clients, with filters in the URL."""
    filters = queries.Filters(
        **{key: request.args.get(key, "")[:200] for key in queries.Filters.__annotations__}
    )
    return render_template(
        "llm_clients/index.html", **list_page.context(g.account, filters, utc_now())
    )


@blueprint.route("/new", methods=["GET", "POST"])
@permits(MEMBER, longest_body=LONGEST_FORM)
def new() -> Any:
    """A new client."""
    providers = provider_finding.all_of(g.account)
    form = LLMClientForm(providers, _name_problem(None), data=form_page.first_values(providers))
    if form.validate_on_submit():
        try:
            llm_client = editing.create(form, g.profile, current_user)
            audit.record(FormActor(), "created", llm_client, after=revisions.content_of(llm_client))
            db.session.commit()
        except (NameTaken, IntegrityError) as error:
            _refuse_name(form, error)
        else:
            said(f"{llm_client.name} is created. Try it in the sandbox, then deploy it.")
            return redirect(url_for(".show", llm_client_id=llm_client.hashed_id), 303)
    return _form_page("llm_clients/new.html", form, None)


def _refuse_name(form: LLMClientForm | CloneForm, error: Exception) -> None:
    db.session.rollback()
    sentence = getattr(error, "public_message", "This name was taken a moment ago.")
    form.name.errors = [*form.name.errors, sentence]


def _form_page(template: str, form: LLMClientForm, llm_client: LLMClient | None) -> Any:
    return form_page.answer(template, form, llm_client, _preview(form.name.data or "", llm_client))


@blueprint.get("/hostname-preview")
@permits(MEMBER)
def hostname_preview() -> str:
    """The address that a name would give, while it is typed."""
    public_id = request.args.get("llm_client", "")
    llm_client = finding.for_account(g.account, public_id) if public_id else None
    name = request.args.get("name", "").strip()[:255]
    preview = _preview(name, llm_client)
    return render_template("llm_clients/_hostname.html", hostname_preview=preview)


def _name_problem(llm_client: LLMClient | None) -> Callable[[str], str]:
    return lambda name: _preview(name, llm_client).problem


def _preview(name: str, llm_client: LLMClient | None) -> registration.HostnamePreview:
    owner = llm_client.user_profile if llm_client else g.profile
    return registration.preview(name, owner, llm_client) if name else registration.NOTHING_YET


@blueprint.get("/<public_id:llm_client_id>/")
@permits(VIEWER)
def show(llm_client_id: str) -> str:
    """Status, addresses, readiness."""
    llm_client = owned_or_404(llm_client_id)
    context = status_page.context(llm_client, utc_now(), current_user.id, may_edit(llm_client))
    return render_template("llm_clients/show.html", **context)


@blueprint.get("/<public_id:llm_client_id>/status")
@permits(VIEWER)
def status(llm_client_id: str) -> Any:
    """The part of the page that changes by itself; 304 while it has not."""
    llm_client = owned_or_404(llm_client_id)
    context = status_page.context(llm_client, utc_now(), current_user.id, may_edit(llm_client))
    return not_modified(render_template("llm_clients/_status.html", **context))


@blueprint.route("/<public_id:llm_client_id>/edit", methods=["GET", "POST"])
@permits(MEMBER, longest_body=LONGEST_FORM)
def edit(llm_client_id: str) -> Any:
    """Change the configuration; saving makes a revision."""
    llm_client = editable_or_403(llm_client_id)
    providers = provider_finding.all_of(g.account)
    form = LLMClientForm(providers, _name_problem(llm_client), data=_values_of(llm_client))
    if form.validate_on_submit():
        try:
            return _save(llm_client, form)
        except (NameTaken, IntegrityError) as error:
            _refuse_name(form, error)
            llm_client = editable_or_403(llm_client_id)
    return _form_page("llm_clients/edit.html", form, llm_client)


def _save(llm_client: LLMClient, form: LLMClientForm) -> Any:
    before, now = {"name": llm_client.name, **revisions.content_of(llm_client)}, utc_now()
    moved = editing.update(llm_client, form, current_user)
    after = {"name": llm_client.name, **revisions.content_of(llm_client)}
    changed = [key for key in after if before.get(key) != after[key]]
    if not changed:
        public_id = llm_client.hashed_id
        db.session.rollback()
        said("Nothing was changed.", "off")
        return redirect(url_for(".show", llm_client_id=public_id), 303)
    audit.record(
        FormActor(),
        "edited",
        llm_client,
        before={key: before[key] for key in changed},
        after={key: after[key] for key in changed},
    )
    if moved:
        move(llm_client, now, current_user)
    db.session.commit()
    said(_saved_sentence(llm_client, moved))
    return redirect(url_for(".show", llm_client_id=llm_client.hashed_id), 303)


def _saved_sentence(llm_client: LLMClient, moved: bool) -> str:
    saved = f"Saved as revision {llm_client.newest_revision_number}."
    if moved and llm_client.deployed:
        return f"{saved} The old address works until the new one is ready."
    if llm_client.deployed:
        return f"{saved} Visitors get it when you publish it."
    return saved


def _values_of(llm_client: LLMClient) -> dict[str, Any]:
    return {"name": llm_client.name, **revisions.content_of(llm_client)}


@blueprint.route("/<public_id:llm_client_id>/clone", methods=["GET", "POST"])
@permits(MEMBER)
def clone(llm_client_id: str) -> Any:
    """A copy of the configuration under another name, owned by whoever makes it."""
    llm_client = owned_or_404(llm_client_id)
    form = CloneForm(data={"name": cloning.free_copy_name(llm_client.name, g.profile)})
    if form.validate_on_submit():
        try:
            copy = cloning.clone(
                llm_client, form.name.data, user_profile=g.profile, author=current_user
            )
            audit.record(FormActor(), "cloned", copy, before={"from": llm_client.name})
            db.session.commit()
        except (NameTaken, IntegrityError) as error:
            _refuse_name(form, error)
            llm_client = owned_or_404(llm_client_id)
        else:
            said(f"{copy.name} is a copy of {llm_client.name}. It is not deployed.")
            return redirect(url_for(".show", llm_client_id=copy.hashed_id), 303)
    page = render_template("llm_clients/clone.html", llm_client=llm_client, form=form)
    return page, (422 if form.errors else 200)


@blueprint.route("/<public_id:llm_client_id>/delete", methods=["GET", "POST"])
@permits(MEMBER)
def delete(llm_client_id: str) -> Any:
    """Delete after typing the name; the background takes it off its address first."""
    llm_client = editable_or_403(llm_client_id)
    form = DeleteForm()
    if form.validate_on_submit():
        if (form.confirm_name.data or "").strip() == llm_client.name:
            return _begin_deletion(llm_client)
        form.confirm_name.errors = [f"Type {llm_client.name} to delete it."]
    page = render_template("llm_clients/delete.html", llm_client=llm_client, form=form)
    return page, (422 if form.errors else 200)


def _begin_deletion(llm_client: LLMClient) -> Any:
    now = utc_now()
    begin(llm_client, Deployment.Kinds.DELETE, now, current_user)
    audit.record(FormActor(), "deleted", llm_client, before=revisions.content_of(llm_client))
    db.session.commit()
    said(f"{llm_client.name} is closed to visitors and will be gone in a moment.")
    return redirect(url_for(".index"), 303)
