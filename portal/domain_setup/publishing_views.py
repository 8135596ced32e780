"""Who publishes a domain's records: the optional ones, the editor of the zone, and its test."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, url_for

from portal.custom_domains import names, records, zone_editing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import current_settings, db, utc_now
from portal.domain_setup import editor_rules, hints, zone_choices, zone_tests
from portal.domain_setup.forms import (
    KINDS,
    OptionsForm,
    editor_form,
    kinds_offered,
    settings_of,
)
from portal.domain_setup.views import blueprint, owned_or_404, told
from portal.vault.sealing import SealError
from portal.web import ADMIN, FormActor, not_modified, permits, said

POLL_MS = 1_500


def _editor_url(custom_domain_id: int, kind: str) -> str:
    return url_for(".editor", custom_domain_id=custom_domain_id, zone_editor=kind)


@blueprint.route("/<row_id:custom_domain_id>/publishing", methods=["GET", "POST"])
@permits(ADMIN)
def publishing(custom_domain_id: int) -> Any:
    """The optional records, and which editors there are."""
    custom_domain = owned_or_404(custom_domain_id)
    form = OptionsForm(obj=custom_domain)
    if form.validate_on_submit():
        zone_choices.set_options(
            custom_domain,
            FormActor(),
            utc_now(),
            wants_wildcard=form.wants_wildcard.data,
            wants_delegation=form.wants_delegation.data,
        )
        db.session.commit()
        said("Saved. The records below are what is needed now.")
        return redirect(url_for(".show", custom_domain_id=custom_domain_id), 303)
    kinds = kinds_offered(current_settings().is_local)
    return render_template(
        "custom_domains/publishing.html",
        custom_domain=custom_domain,
        shown_name=names.unicode_form(custom_domain.domain_name),
        form=form,
        editors=[
            (kind, label, hints.ABOUT.get(kind, ""), _editor_url(custom_domain_id, kind))
            for kind, label in kinds.items()
        ],
        test_status=zone_tests.LOOKS[_state(custom_domain)],
    )


def _state(custom_domain: LLMClientCustomDomain) -> str:
    found = zone_tests.test_of(custom_domain)
    return found.state if found else ""


@blueprint.route(
    f"/<row_id:custom_domain_id>/publishing/<any({KINDS}):zone_editor>", methods=["GET", "POST"]
)
@permits(ADMIN)
def editor(custom_domain_id: int, zone_editor: str) -> Any:
    """Choose an editor and give it what it needs; it is tested at once."""
    custom_domain, kind = owned_or_404(custom_domain_id), zone_editor
    if kind not in kinds_offered(current_settings().is_local):
        abort(404)
    form = editor_form(custom_domain, kind)
    if form.validate_on_submit() and editor_rules.accepts(form, custom_domain, kind):
        zone_choices.choose(custom_domain, kind, form.values(), FormActor(), utc_now())
        db.session.commit()
        if kind == "manual":
            said("You publish the records yourself from now on.")
            return redirect(url_for(".show", custom_domain_id=custom_domain_id), 303)
        said("Saved. We are trying it now.")
        return redirect(_editor_url(custom_domain_id, kind), 303)
    body = render_template(
        "custom_domains/editor.html",
        form=form,
        kind=kind,
        label=kinds_offered(True)[kind],
        about=hints.ABOUT.get(kind, ""),
        fields=[(form[f"setting_{one.name}"], one) for one in settings_of(kind)],
        stored=_stored_words(custom_domain, kind),
        **_test_part(custom_domain, kind),
    )
    return body, (422 if form.errors else 200)


def _stored_words(custom_domain: LLMClientCustomDomain, kind: str) -> dict[str, str]:
    """What a page may say of each stored secret: its last four characters."""
    if custom_domain.zone_editor != kind or not custom_domain.sealed_settings:
        return {}
    try:
        values = zone_editing.typed_values(custom_domain)
    except SealError:
        return {}
    return {
        one.name: hints.stored_sentence(values[one.name])
        for one in settings_of(kind)
        if one.secret and values.get(one.name)
    }


def _test_part(custom_domain: LLMClientCustomDomain, kind: str) -> dict[str, Any]:
    is_chosen = custom_domain.zone_editor == kind and kind != "manual"
    test = zone_tests.test_of(custom_domain) if is_chosen else None
    is_running = test is not None and test.state == zone_tests.RUNNING
    number = custom_domain.id
    return {
        "custom_domain": custom_domain,
        "shown_name": names.unicode_form(custom_domain.domain_name),
        "dns_zone": records.zone_guess(custom_domain.domain_name, custom_domain.zone_name),
        "is_chosen": is_chosen,
        "test": test,
        "test_status": zone_tests.LOOKS[test.state if test else ""],
        "refresh_url": _editor_url(number, kind),
        "poll_url": url_for(".editor_status", custom_domain_id=number),
        "poll_after_ms": POLL_MS if is_running else None,
    }


@blueprint.get("/<row_id:custom_domain_id>/publishing/status")
@permits(ADMIN)
def editor_status(custom_domain_id: int) -> Any:
    """The result of the test alone, asked for while it runs."""
    custom_domain = owned_or_404(custom_domain_id)
    values = _test_part(custom_domain, custom_domain.zone_editor)
    return not_modified(render_template("custom_domains/_editor_test.html", **values))


@blueprint.post("/<row_id:custom_domain_id>/publishing/test")
@permits(ADMIN)
def editor_test(custom_domain_id: int) -> Any:
    """Let the chosen editor write a record and remove it, in the background."""
    custom_domain = owned_or_404(custom_domain_id)
    kind = custom_domain.zone_editor
    if kind != "manual":
        zone_choices.begin_test(custom_domain, utc_now())
        told("custom_domain_editor_tested", custom_domain)
        db.session.commit()
    return redirect(_editor_url(custom_domain_id, kind) + "#test", 303)
