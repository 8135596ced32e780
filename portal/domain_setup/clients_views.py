"""Clients on domains: attach from the domain's page, and the tab "Domain" of a client."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask_login import current_user

from portal.accounts import audit
from portal.custom_domains import claims, names, standing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.domain_setup import finding, needed, page
from portal.domain_setup.forms import AttachForm, ChooseDomainForm
from portal.domain_setup.rows import HostLine
from portal.domain_setup.views import back_to, blueprint, owned_or_404, reader
from portal.errors import PortalError
from portal.llm_clients import custom_hosts, hostnames
from portal.llm_clients.deployment import custom
from portal.llm_clients.deployment.jobs import ring_for
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages.views import blueprint as clients_blueprint
from portal.llm_clients.pages.views import editable_or_403, may_edit
from portal.llm_clients.pages.views import owned_or_404 as client_or_404
from portal.web import MEMBER, VIEWER, FormActor, not_modified, permits, said, zone


@blueprint.route("/<row_id:custom_domain_id>/clients/attach", methods=["GET", "POST"])
@permits(MEMBER)
def attach(custom_domain_id: int) -> Any:
    """Put a client of the account on this domain, off the one it is on."""
    custom_domain = owned_or_404(custom_domain_id)
    offered = _attachable(custom_domain)
    form = AttachForm([(client.hashed_id, client.name) for client in offered])
    if form.validate_on_submit():
        llm_client = editable_or_403(form.llm_client.data)
        problem = _put(llm_client, custom_domain, bool(form.uses_bare_domain.data))
        if not problem:
            return back_to(custom_domain)
        form.llm_client.errors = [problem]
        custom_domain = owned_or_404(custom_domain_id)
    body = render_template(
        "custom_domains/attach.html",
        custom_domain=custom_domain,
        shown_name=names.unicode_form(custom_domain.domain_name),
        form=form,
        offered=offered,
        hosts={one.hashed_id: _host_words(one, custom_domain) for one in offered},
    )
    return body, (422 if form.errors else 200)


def _attachable(custom_domain: LLMClientCustomDomain) -> list[LLMClient]:
    """The clients that the person may change and that are not on the domain yet."""
    found = finding.clients_elsewhere(g.account, custom_domain)
    return [llm_client for llm_client in found if may_edit(llm_client)]


def _host_words(llm_client: LLMClient, custom_domain: LLMClientCustomDomain) -> str:
    """The host that it would get, and where it is now."""
    host = hostnames.custom_host(llm_client.name, custom_domain.domain_name)
    present = llm_client.custom_domain
    return f"{host}, now on {names.unicode_form(present.domain_name)}" if present else host


def _put(llm_client: LLMClient, custom_domain: LLMClientCustomDomain, uses_bare: bool) -> str:
    """Attach and commit; the sentence that says why not, else nothing."""
    before = llm_client.custom_domain.domain_name if llm_client.custom_domain else None
    now = utc_now()
    try:
        run = custom.put_on_domain(
            llm_client, custom_domain, now, current_user, uses_bare_domain=uses_bare
        )
    except PortalError as error:
        db.session.rollback()
        return error.public_message
    if run is not None:
        ring_for(run, now)
    claims.watch(custom_domain, now)
    needed.show(custom_domain, now)
    audit.record(
        FormActor(),
        "custom_domain_attached",
        llm_client,
        before={"custom_domain": before},
        after={"custom_domain": custom_domain.domain_name, "uses_bare_domain": uses_bare},
    )
    db.session.commit()
    host = custom_hosts.wanted_hosts(llm_client, custom_domain)[0]
    said(f"{llm_client.name} is on the domain: its host is {host}.")
    return ""


@clients_blueprint.get("/<public_id:llm_client_id>/domain")
@permits(VIEWER)
def domain(llm_client_id: str) -> Any:
    """The tab: the client's domain with its checks, and which domain it shall be."""
    llm_client = client_or_404(llm_client_id)
    offered = finding.all_of(g.account)
    return _tab(llm_client, _choose_form(llm_client, offered), offered)


@clients_blueprint.get("/<public_id:llm_client_id>/domain/status")
@permits(VIEWER)
def domain_status(llm_client_id: str) -> Any:
    """The checks alone, asked for while they go on."""
    llm_client = client_or_404(llm_client_id)
    return not_modified(render_template("llm_clients/_domain.html", **_state(llm_client)))


@clients_blueprint.post("/<public_id:llm_client_id>/domain")
@permits(MEMBER)
def choose_domain(llm_client_id: str) -> Any:
    """Put the client on a domain, or move it to another one."""
    llm_client, offered = editable_or_403(llm_client_id), finding.all_of(g.account)
    form = _choose_form(llm_client, offered)
    if form.validate_on_submit():
        [chosen] = [one for one in offered if str(one.id) == form.custom_domain.data]
        problem = _put(llm_client, chosen, bool(form.uses_bare_domain.data))
        if not problem:
            return redirect(url_for(".domain", llm_client_id=llm_client_id), 303)
        form.custom_domain.errors = [problem]
        llm_client = editable_or_403(llm_client_id)
    return _tab(llm_client, form, offered)


def _choose_form(llm_client: LLMClient, offered: list[LLMClientCustomDomain]) -> ChooseDomainForm:
    present = llm_client.custom_domain
    return ChooseDomainForm(
        [(str(one.id), names.unicode_form(one.domain_name)) for one in offered],
        data={
            "custom_domain": str(present.id) if present else "",
            "uses_bare_domain": llm_client.uses_bare_domain,
        },
    )


def _tab(
    llm_client: LLMClient, form: ChooseDomainForm, offered: list[LLMClientCustomDomain]
) -> Any:
    body = render_template(
        "llm_clients/domain.html",
        **_state(llm_client),
        form=form,
        can_edit=may_edit(llm_client),
        choice_hosts={
            str(one.id): hostnames.custom_host(llm_client.name, one.domain_name) for one in offered
        },
    )
    return body, (422 if form.errors else 200)


def _state(llm_client: LLMClient) -> dict[str, Any]:
    """The client's domain as it stands; nothing of it without one."""
    present, now = llm_client.custom_domain, utc_now()
    back_url = url_for("llm_clients.domain", llm_client_id=llm_client.hashed_id)
    stands = None
    hosts: list[HostLine] = []
    if present is not None:
        links = page.links_of(present, reader(), back_url)
        own = custom_hosts.wanted_hosts(llm_client, present)
        stands = standing.standing_of(present, now, zone(), page.worker_words(now), links, own)
        served = [one for one in finding.clients_on(present) if one.llm_client is llm_client]
        hosts = page.host_lines(present, served, now)
    return {
        "llm_client": llm_client,
        "custom_domain": present,
        "shown_name": names.unicode_form(present.domain_name) if present else "",
        "standing": stands,
        "hosts": hosts,
        "is_link": False,
        "has_primary": False,
        "has_banner": True,
        "poll_url": url_for("llm_clients.domain_status", llm_client_id=llm_client.hashed_id),
        "poll_after_ms": stands.poll_after_ms if stands else None,
    }


@clients_blueprint.route("/<public_id:llm_client_id>/domain/detach", methods=["GET", "POST"])
@permits(MEMBER)
def detach_domain(llm_client_id: str) -> Any:
    """Take the client off its domain; what answered there closes at once."""
    llm_client, now = editable_or_403(llm_client_id), utc_now()
    present = llm_client.custom_domain
    if present is None:
        said(f"{llm_client.name} is on no domain.", "off")
        return redirect(url_for(".domain", llm_client_id=llm_client_id), 303)
    if request.method == "POST":
        name = present.domain_name
        run = custom.take_off_domain(llm_client, now, current_user)
        if run is not None:
            ring_for(run, now)
        needed.show(present, now)
        told = {"custom_domain": name}
        audit.record(FormActor(), "custom_domain_detached", llm_client, before=told)
        db.session.commit()
        said(f"{llm_client.name} is off {names.unicode_form(name)}. Nobody is answered there.")
        return redirect(url_for(".domain", llm_client_id=llm_client_id), 303)
    return render_template(
        "llm_clients/detach_domain.html",
        llm_client=llm_client,
        shown_name=names.unicode_form(present.domain_name),
        hosts=custom_hosts.wanted_hosts(llm_client, present),
    )
