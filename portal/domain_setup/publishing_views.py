"""Who publishes a domain's records: the optional ones, the editor of the zone, and its test."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, url_for

from portal.custom_domains import claims, names, records, zone_editing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import current_settings, db, utc_now
from portal.domain_setup import editor_rules, hints, needed, zone_tests
from portal.domain_setup.forms import (
    KINDS,
    OptionsForm,
    ZoneEditorForm,
    editor_form,
    kinds_offered,
    settings_of,
)
from portal.domain_setup.jobs import try_zone_editor
from portal.domain_setup.views import blueprint, owned_or_404, told
from portal.job_queue import enqueue
from portal.vault.sealing import SealError
from portal.web import ADMIN, not_modified, permits, said

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
        before = _options(custom_domain)
        form.populate_obj(custom_domain)
        told(
            "custom_domain_options_changed",
            custom_domain,
            before=before,
            after=_options(custom_domain),
        )
        _look_soon(custom_domain)
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


def _options(custom_domain: LLMClientCustomDomain) -> dict[str, bool]:
    return {
        "wants_wildcard": custom_domain.wants_wildcard,
        "wants_delegation": custom_domain.wants_delegation,
    }


def _look_soon(custom_domain: LLMClientCustomDomain) -> None:
    """What is needed has changed, or who publishes it."""
    claims.watch(custom_domain, utc_now())
    needed.show(custom_domain, utc_now())


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
        _store(custom_domain, kind, form)
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


def _store(custom_domain: LLMClientCustomDomain, kind: str, form: ZoneEditorForm) -> None:
    before = custom_domain.zone_editor
    typed = form.values()
    zone_editing.keep_values(custom_domain, kind, settings_of(kind), typed)
    zone_tests.forget(custom_domain)
    secrets = [one.name for one in settings_of(kind) if one.secret and typed.get(one.name)]
    told(
        "custom_domain_editor_changed",
        custom_domain,
        before={"zone_editor": before},
        after={"zone_editor": kind, **custom_domain.zone_editor_settings, "replaced": secrets},
    )
    if kind != "manual":
        _begin_test(custom_domain)
    _look_soon(custom_domain)
    db.session.commit()


def _begin_test(custom_domain: LLMClientCustomDomain) -> None:
    begun = zone_tests.begin(custom_domain, utc_now())
    enqueue(try_zone_editor, begun.id, key=f"{begun.id}-{begun.generation}")


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
        _begin_test(custom_domain)
        told("custom_domain_editor_tested", custom_domain)
        db.session.commit()
    return redirect(_editor_url(custom_domain_id, kind) + "#test", 303)
