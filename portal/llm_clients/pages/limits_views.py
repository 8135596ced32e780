"""A client's tab "Limits", and the limits of an API key."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, url_for

from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.limits import defaults, editing, finding, page
from portal.limits.budgets import Budget, budgets_of
from portal.limits.forms import ClientLimitsForm, KeyLimitsForm, values_of
from portal.limits.models import Limits, SubjectKinds
from portal.limits.serving import public_budget
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages import api_keys_views
from portal.llm_clients.pages.views import blueprint, editable_or_403, may_edit, owned_or_404
from portal.providers import finding as provider_finding
from portal.web import ADMIN, MEMBER, VIEWER, FormActor, permits, said

CLIENT, KEY = SubjectKinds.CLIENT, SubjectKinds.KEY
HOLDS = "It holds from the next prompt on."


def budgets_of_client(llm_client: LLMClient, found: Limits | None) -> list[Budget]:
    """Those that were set, or the one that every public client has."""
    budgets = list(budgets_of(CLIENT, llm_client.id, editing.values_of(found)))
    if not budgets and llm_client.is_public:
        return [public_budget(llm_client.id)]
    return budgets


def _account() -> Account:
    account: Account = g.account
    return account


@blueprint.get("/<public_id:llm_client_id>/limits")
@permits(VIEWER)
def limits(llm_client_id: str) -> str:
    """What may be asked of the client, and how much of it is used."""
    llm_client = owned_or_404(llm_client_id)
    found = finding.of_subject(_account(), CLIENT, llm_client.id)
    budgets = budgets_of_client(llm_client, found)
    return render_template(
        "llm_clients/limits.html",
        llm_client=llm_client,
        limits=found,
        meters=page.meters(_account(), budgets, utc_now()),
        has_default_budget=budgets == [public_budget(llm_client.id)],
        defaults=defaults,
        can_edit=may_edit(llm_client),
    )


@blueprint.route("/<public_id:llm_client_id>/limits/edit", methods=["GET", "POST"])
@permits(MEMBER)
def edit_limits(llm_client_id: str) -> Any:
    """Change them; not a revision, since they hold at once."""
    llm_client = editable_or_403(llm_client_id)
    found = finding.of_subject(_account(), CLIENT, llm_client.id)
    form = ClientLimitsForm(provider_finding.all_of(_account()), data=editing.values_of(found))
    back = url_for(".limits", llm_client_id=llm_client.hashed_id)
    if form.validate_on_submit():
        editing.store(_account(), CLIENT, llm_client, values_of(form), FormActor())
        db.session.commit()
        said(f"The limits of {llm_client.name} are saved. {HOLDS}")
        return redirect(back, 303)
    shown = render_template(
        "limits/edit.html",
        form=form,
        title=f"Change the limits of {llm_client.name}",
        crumbs=[
            ("LLM clients", url_for(".index")),
            (llm_client.name, url_for(".show", llm_client_id=llm_client.hashed_id)),
            ("Limits", back),
        ],
        sentence="They hold at once and for every revision.",
        meters=[],
        back=back,
        defaults=defaults,
    )
    return shown, (422 if form.errors else 200)


@api_keys_views.blueprint.route("/<row_id:api_key_id>/limits", methods=["GET", "POST"])
@permits(ADMIN)
def key_limits(api_key_id: int) -> Any:
    """What one key may do, over all clients that it opens."""
    key = api_keys_views.owned_or_404(api_key_id)
    found = finding.of_subject(_account(), KEY, key.id)
    form = KeyLimitsForm(data=editing.values_of(found))
    back = url_for("api_keys.show", api_key_id=key.id)
    if form.validate_on_submit():
        editing.store(_account(), KEY, key, values_of(form), FormActor())
        db.session.commit()
        said(f"The limits of {key.name} are saved. {HOLDS}")
        return redirect(back, 303)
    budgets = list(budgets_of(KEY, key.id, editing.values_of(found)))
    shown = render_template(
        "limits/edit.html",
        form=form,
        title=f"Limits of {key.name}",
        crumbs=[("API keys", url_for("api_keys.index")), (key.name, back)],
        sentence="They count over all clients that the key opens, from the moment they are set.",
        meters=page.meters(_account(), budgets, utc_now()),
        back=back,
        defaults=defaults,
    )
    return shown, (422 if form.errors else 200)
