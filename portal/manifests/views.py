"""Manifests on pages: applied after a look at the difference; one client's; the account's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user

from portal.database import utc_now
from portal.llm_clients.pages.views import blueprint as clients_blueprint
from portal.llm_clients.pages.views import owned_or_404
from portal.manifests import carrying_out, export, planning, reading
from portal.manifests.applying import Actions, Change
from portal.manifests.carrying_out import Stale
from portal.manifests.forms import ManifestForm
from portal.manifests.kind import Person
from portal.manifests.kinds import KINDS
from portal.manifests.planning import Plan
from portal.serving.workbench import blueprint as workbench_blueprint
from portal.web import ADMIN, MEMBER, VIEWER, FormActor, permits, said

blueprint = Blueprint("manifests", __name__, url_prefix="/manifests")
LONGEST_TEXT = 7_000_000
LONGEST_FORM = 2 * LONGEST_TEXT  # and the file that takes its place
YAML = "application/yaml; charset=utf-8"  # RFC 9512


class ManifestActor(FormActor):
    """The signed-in person, acting by a manifest."""

    by = "manifest"


def person() -> Person:
    """Who applies: the signed-in person, in the account that is looked at."""
    user = current_user._get_current_object()
    return Person(g.account, g.profile, user, ManifestActor(), utc_now())


@blueprint.get("/")
@permits(MEMBER)
def index() -> Any:
    """Paste a manifest or choose a file."""
    return _page(ManifestForm(formdata=None))


def _page(
    form: ManifestForm,
    plan: Plan | None = None,
    notice: str = "",
    done: Iterable[Change] = (),
) -> Any:
    """With secrets of what was made on the answer to the POST that made it, and nowhere else."""
    body = render_template(
        "manifests/index.html",
        form=form,
        plan=plan,
        notice=notice,
        summary=_summary(plan.changes) if plan else "",
        made=[change for change in done if change.secret],
        parts=carrying_out.in_parts(plan) if plan else "",
        kinds=list(KINDS.values()),
        room=reading.ON_PAGE,
    )
    is_wrong = form.errors or notice or (plan is not None and not plan.is_possible)
    return body, (422 if is_wrong else 200)


@blueprint.post("/plan")
@permits(MEMBER, longest_body=LONGEST_FORM, longest_text=LONGEST_TEXT)
def plan() -> Any:
    """What it would change; nothing is kept."""
    form = ManifestForm()
    if not form.validate() or not form.read():
        return _page(form)
    return _page(form, planning.plan(form.documents, person()))


@blueprint.post("/apply")
@permits(MEMBER, longest_body=LONGEST_FORM, longest_text=LONGEST_TEXT)
def apply() -> Any:
    """Do what was shown; where the account has changed since, show it again instead."""
    form = ManifestForm()
    if not form.validate() or not form.read():
        return _page(form)
    applying = person()
    planned = planning.plan(form.documents, applying)
    if not planned.is_possible or planned.made_from != form.made_from.data:
        return _page(form, planned, carrying_out.STALE if planned.is_possible else "")
    try:
        done = carrying_out.carry_out(form.documents, applying, planned)
    except Stale as error:
        plan = planning.plan(form.documents, applying)
        return _page(form, plan, error.public_message, error.done)
    said(f"Applied: {_summary(done)}.")
    if any(change.secret for change in done):
        return _page(ManifestForm(formdata=None), done=done)
    return redirect(url_for(".index"), 303)


def _summary(changes: Any) -> str:
    """`2 created, 1 changed, 3 as they were`."""
    counted = {action: sum(one.action == action for one in changes) for action in Actions}
    words = {
        Actions.CREATE: "{} created",
        Actions.CHANGE: "{} changed",
        Actions.NOTHING: "{} as before",
        Actions.REFUSED: "{} refused",
    }
    return ", ".join(words[one].format(count) for one, count in counted.items() if count)


@blueprint.get("/export")
@permits(ADMIN)
def export_account() -> Response:
    """Everything of the account as one file; secrets are not in it."""
    parts = export.parts_of(export.account_file(g.account))
    return _file(parts, f"account-{g.account.account_number}.yaml")


def _file(content: str | Iterable[bytes], name: str) -> Response:
    answer = current_app.response_class(content, content_type=YAML)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@workbench_blueprint.get("/<public_id:llm_client_id>/manifest/")
@permits(VIEWER)
def manifest(llm_client_id: str) -> Response:
    """`manifest_url`: the manifest itself, for programs and for `?download=1`."""
    llm_client = owned_or_404(llm_client_id)
    text = export.client_text(llm_client)
    if request.args.get("download"):
        return _file(text, f"{llm_client.rfc1034_compliant_name}.yaml")
    return current_app.response_class(text, content_type=YAML)


@clients_blueprint.get("/<public_id:llm_client_id>/manifest/", endpoint="manifest")
@permits(VIEWER)
def manifest_page(llm_client_id: str) -> str:
    """The tab: the client as a manifest, to copy or to keep."""
    llm_client = owned_or_404(llm_client_id)
    text = export.client_text(llm_client)
    return render_template("llm_clients/manifest.html", llm_client=llm_client, text=text)
