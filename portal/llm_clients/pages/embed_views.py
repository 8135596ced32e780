"""A client's tab "Embed": code for pages and programs, and the origins that may use it."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import ValidationError

from portal.accounts import audit
from portal.database import current_settings, db
from portal.llm_clients import origins
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages import snippets
from portal.llm_clients.pages.form_fields import LinesField
from portal.llm_clients.pages.views import blueprint, editable_or_403, may_edit, owned_or_404
from portal.web import MEMBER, VIEWER, FormActor, permits, said


class AllowedOriginsForm(FlaskForm):
    """One origin on each line; kept as browsers write them."""

    allowed_origins = LinesField("Allowed origins")

    def validate_allowed_origins(self, field: LinesField) -> None:
        kept, problems = [], []
        for line in field.data or []:
            try:
                kept.append(origins.normalised(line))
            except origins.NoOrigin as error:
                problems.append(error.public_message)
        if problems:
            raise ValidationError(" ".join(problems[:5]))
        field.data = list(dict.fromkeys(kept))
        if len(field.data) > origins.MOST_ORIGINS:
            raise ValidationError(f"At most {origins.MOST_ORIGINS} origins.")


@blueprint.get("/<public_id:llm_client_id>/embed")
@permits(VIEWER)
def embed(llm_client_id: str) -> Any:
    """Code to copy, and who may use it from a page."""
    llm_client = owned_or_404(llm_client_id)
    form = AllowedOriginsForm(data={"allowed_origins": llm_client.allowed_origins})
    return _page(llm_client, form)


@blueprint.post("/<public_id:llm_client_id>/embed")
@permits(MEMBER)
def save_origins(llm_client_id: str) -> Any:
    """Change the list; it holds from the next request on, without a deployment."""
    llm_client = editable_or_403(llm_client_id)
    form = AllowedOriginsForm()
    if not form.validate_on_submit():
        return _page(llm_client, form)
    before, after = list(llm_client.allowed_origins), list(form.allowed_origins.data or [])
    if before != after:
        llm_client.allowed_origins = after
        audit.record(
            FormActor(),
            "allowed_origins_changed",
            llm_client,
            before={"allowed_origins": before},
            after={"allowed_origins": after},
        )
        db.session.commit()
    said(_consequence(llm_client, after))
    return redirect(url_for(".embed", llm_client_id=llm_client.hashed_id), 303)


def _consequence(llm_client: LLMClient, allowed: list[str]) -> str:
    if not allowed:
        return f"Pages of any origin may use {llm_client.name}."
    pages = "1 origin" if len(allowed) == 1 else f"{len(allowed)} origins"
    return f"Only pages of {pages} and its own host may use {llm_client.name}, from now on."


def _page(llm_client: LLMClient, form: AllowedOriginsForm) -> Any:
    host = llm_client.custom_host or llm_client.default_host
    address = snippets.Address(
        url=current_settings().url_of(host),
        name=llm_client.name,
        title=llm_client.app_name or llm_client.name,
        needs_key=llm_client.is_authentication_required,
    )
    page = render_template(
        "llm_clients/embed.html",
        llm_client=llm_client,
        form=form,
        address=address,
        key_placeholder=snippets.KEY_PLACEHOLDER,
        for_pages=snippets.for_pages(address),
        for_programs=snippets.for_programs(address),
        can_edit=may_edit(llm_client),
        most=origins.MOST_ORIGINS,
    )
    return page, (422 if form.errors else 200)
