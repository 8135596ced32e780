"""The account's custom domains: list, add, watch, check now, remove."""

from __future__ import annotations

from math import ceil
from typing import Any

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.exc import IntegrityError

from portal.accounts import audit
from portal.custom_domains import claims, names
from portal.custom_domains.jobs import ring_for
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.domain_setup import adding, finding, listing, page, typed_names, zone_files
from portal.domain_setup.forms import NewDomainForm, RemoveForm
from portal.domain_setup.page import Reader
from portal.errors import PortalError
from portal.web import (
    ADMIN,
    MEMBER,
    VIEWER,
    FormActor,
    not_modified,
    number_argument,
    permits,
    safe_next,
    said,
    zone,
)

blueprint = Blueprint("custom_domains", __name__, url_prefix="/custom-domains")
HELD = "held"  # the reason of a refusal that a confirmation overcomes
PUBLISH = "Publish the records below."
TOO_SOON = "It was checked a moment ago. You can ask again in {seconds} s: once in 10 s is enough."


def owned_or_404(custom_domain_id: int, *, locks: bool = True) -> LLMClientCustomDomain:
    """The account's domain, held until the commit where it is about to be changed."""
    lock = locks and request.method == "POST"
    found = finding.for_account(g.account, custom_domain_id, lock=lock)
    if found is None:
        abort(404)
    return found


def reader() -> Reader:
    """The person who looks, and what this person may do."""
    return Reader(current_user.id, g.profile.may_edit, g.profile.role == "admin")


def told(action: str, custom_domain: LLMClientCustomDomain, **changes: Any) -> None:
    """Note in the audit log what the person did to a domain."""
    audit.record(FormActor(), action, custom_domain, name=custom_domain.domain_name, **changes)


def back_to(custom_domain: LLMClientCustomDomain) -> Any:
    return redirect(url_for("custom_domains.show", custom_domain_id=custom_domain.id), 303)


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """All of them, the newest first."""
    before = number_argument("before")
    found, older = finding.page(g.account, before)
    return render_template(
        "custom_domains/index.html",
        rows=listing.rows(found),
        newest_url=url_for(".index") if before else None,
        older_url=url_for(".index", before=older) if older else None,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@permits(ADMIN)
def new() -> Any:
    """Add a domain; one that another account holds is asked about first."""
    form = NewDomainForm()
    if not form.validate_on_submit():
        return _new_page(form)
    text = form.domain_name.data or ""
    try:
        custom_domain = adding.add(
            g.account,
            text,
            utc_now(),
            current_user,
            FormActor(),
            claims_held=bool(form.owns_it_now.data),
        )
        db.session.commit()
    except (PortalError, IntegrityError) as error:
        db.session.rollback()
        sentence = getattr(error, "public_message", "The account has this domain already.")
        form.domain_name.errors = [*form.domain_name.errors, sentence]
        return _new_page(form, is_held=getattr(error, "reason", "") == HELD)
    is_ours_to_do = custom_domain.zone_editor == adding.LOCAL
    next_step = "The records below are published by us." if is_ours_to_do else PUBLISH
    said(f"{names.unicode_form(custom_domain.domain_name)} is added. {next_step}")
    return back_to(custom_domain)


def _new_page(form: NewDomainForm, *, is_held: bool = False) -> Any:
    body = render_template(
        "custom_domains/new.html",
        form=form,
        is_held=is_held,
        preview=typed_names.preview(form.domain_name.data or ""),
    )
    return body, (422 if form.errors else 200)


@blueprint.get("/name-preview")
@permits(ADMIN)
def name_preview() -> str:
    """What a typed text becomes, while it is typed."""
    text = request.args.get("name", "")[:500]
    return render_template("custom_domains/_name.html", preview=typed_names.preview(text))


@blueprint.get("/<row_id:custom_domain_id>/")
@permits(VIEWER)
def show(custom_domain_id: int) -> str:
    """The steps, the checks and the timeline of one domain."""
    custom_domain = owned_or_404(custom_domain_id)
    values = page.context(custom_domain, utc_now(), zone(), reader())
    return render_template("custom_domains/show.html", **values)


@blueprint.get("/<row_id:custom_domain_id>/status")
@permits(VIEWER)
def status(custom_domain_id: int) -> Any:
    """The part of the page that changes by itself; 304 while it has not."""
    custom_domain = owned_or_404(custom_domain_id)
    values = page.context(custom_domain, utc_now(), zone(), reader())
    return not_modified(render_template("custom_domains/_status.html", **values))


@blueprint.post("/<row_id:custom_domain_id>/check")
@permits(MEMBER)
def check(custom_domain_id: int) -> Any:
    """Look now, at most every 10 seconds."""
    custom_domain = owned_or_404(custom_domain_id)
    waits = claims.ask_for_check(custom_domain, utc_now())
    if waits > 0:
        said(TOO_SOON.format(seconds=ceil(waits)), "off")
    else:
        told("custom_domain_checked", custom_domain)
        ring_for(custom_domain)
    db.session.commit()
    target = request.form.get("next", "")
    return redirect(safe_next(target), 303) if target else back_to(custom_domain)


@blueprint.post("/<row_id:custom_domain_id>/resume")
@permits(MEMBER)
def resume(custom_domain_id: int) -> Any:
    """Look again at a domain that was given up."""
    custom_domain = owned_or_404(custom_domain_id)
    claims.resume(custom_domain, utc_now())
    told("custom_domain_resumed", custom_domain)
    db.session.commit()
    said("We look again, as on the first day.")
    return back_to(custom_domain)


@blueprint.get("/<row_id:custom_domain_id>/zone-file")
@permits(VIEWER)
def zone_file(custom_domain_id: int) -> Response:
    """The records to import, as a file."""
    return zone_files.answer(owned_or_404(custom_domain_id))


@blueprint.route("/<row_id:custom_domain_id>/remove", methods=["GET", "POST"])
@permits(ADMIN)
def remove(custom_domain_id: int) -> Any:
    """Remove a domain after typing its name; its hosts close at once.

    The verb locks all claims of the name, in its own order.
    """
    custom_domain, form = owned_or_404(custom_domain_id, locks=False), RemoveForm()
    shown = names.unicode_form(custom_domain.domain_name)
    if form.validate_on_submit():
        typed = (form.confirm_name.data or "").strip().lower()
        if typed in (custom_domain.domain_name, shown):
            told("custom_domain_removed", custom_domain)
            claims.remove(custom_domain, utc_now())
            db.session.commit()
            said(f"{shown} is removed. What answered there is closed.")
            return redirect(url_for(".index"), 303)
        form.confirm_name.errors = [f"Type {shown} to remove it."]
    body = render_template(
        "custom_domains/remove.html",
        custom_domain=custom_domain,
        shown_name=shown,
        form=form,
        clients=finding.clients_on(custom_domain),
    )
    return body, (422 if form.errors else 200)
