"""The set-up link: the live page for the person who owns the DNS, without an account or a cookie.

It lies on the admin plane and is open to anybody who has it: the token is the permission, and
everything starts from the account that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for

from portal.accounts import audit
from portal.accounts.models import Account
from portal.custom_domains import claims, standing
from portal.custom_domains.jobs import ring_for
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.standing import Links
from portal.database import current_settings, db, utc_now
from portal.domain_setup import finding, links, page, zone_files
from portal.domain_setup.finding import ServedClient
from portal.domain_setup.page import Reader
from portal.llm_clients import images
from portal.web import ANYBODY, csrf, file_answer, not_modified, permits, zone

blueprint = Blueprint("domain_setup", __name__, url_prefix="/domain-setup")
GONE = "domain_setup/gone.html"
TOO_SOON = "too-soon"


@dataclass(frozen=True)
class Opened:
    """What a valid link leads to."""

    token: str
    custom_domain: LLMClientCustomDomain
    claims: links.Claims


@dataclass(frozen=True)
class Brand:
    """Whose page this is: the client's name and logo, else the company's name."""

    name: str
    logo_url: str


class LinkActor:
    """Somebody with a set-up link, as the audit log sees them."""

    by = "link"
    user_id = None

    def __init__(self, account_id: int) -> None:
        self.account_id: int | None = account_id

    @property
    def address(self) -> str:
        return request.remote_addr or ""


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """The address is a key: no search engine, no other site and no shared cache may learn it."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def opened(token: str) -> Opened:
    """The domain of a link; ends the request with a page that says why where it does not open."""
    said = links.read(token, current_settings().secret_key)
    if said is None:
        _end("unknown", 404)
    account = db.session.get(Account, said.account_id)
    if account is None or not account.is_active:
        _end("unknown", 404)
    is_post = request.method == "POST"
    custom_domain = finding.for_account(account, said.custom_domain_id, lock=is_post)
    if custom_domain is None or custom_domain.domain_name != said.domain_name:
        _end("removed", 410)
    if not links.opens(said, custom_domain, utc_now()):
        is_old = said.generation != custom_domain.setup_link_generation
        _end("revoked" if is_old else "expired", 410)
    g.account = account
    return Opened(token, custom_domain, said)


def _end(why: str, code: int) -> Any:
    abort(Response(render_template(GONE, why=why), code))


def _context(link: Opened) -> dict[str, Any]:
    custom_domain, now = link.custom_domain, utc_now()
    own_url = url_for(".show", token=link.token)
    is_going = custom_domain.state == custom_domain.States.REMOVING
    buttons = Links(
        check_url="" if is_going else url_for(".check", token=link.token),
        refresh_url=own_url,
    )
    stands = standing.standing_of(custom_domain, now, zone(), page.worker_words(now), buttons)
    served = finding.clients_on(custom_domain)
    return {
        **page.parts(custom_domain, now, stands, served),
        "reader": Reader(),
        "is_link": True,
        "has_primary": False,
        "has_banner": True,
        "setup_link": None,
        "added_by": "",
        "brand": _brand(link, served),
        "account": g.account,
        "expires_at": link.claims.expires_at,
        "is_too_soon": request.args.get("note") == TOO_SOON,
        "own_url": own_url,
        "zone_file_url": url_for(".zone_file", token=link.token),
        "mail_subject": f"DNS records for {custom_domain.domain_name}",
        "mail_body": zone_files.mail_text(custom_domain, current_settings().platform_url + own_url),
        "poll_url": url_for(".status", token=link.token),
    }


def _brand(link: Opened, served: list[ServedClient]) -> Brand:
    """The first client's, by name."""
    for one in served:
        llm_client = one.llm_client
        has_logo = bool(llm_client.app_logo_upload)
        logo_url = url_for(".logo", token=link.token) if has_logo else ""
        return Brand(llm_client.app_name or llm_client.name, logo_url)
    return Brand(g.account.company_name, "")


@blueprint.get("/<setup_token:token>/")
@permits(ANYBODY)
def show(token: str) -> str:
    """The records to enter and what we found, live."""
    return render_template("domain_setup/show.html", **_context(opened(token)))


@blueprint.get("/<setup_token:token>/status")
@permits(ANYBODY)
def status(token: str) -> Any:
    """The part of the page that changes by itself."""
    return not_modified(render_template("domain_setup/_status.html", **_context(opened(token))))


@blueprint.post("/<setup_token:token>/check")
@csrf.exempt
@permits(ANYBODY)
def check(token: str) -> Any:
    """Look now. No cookie speaks for the sender: there is nothing that another site could use."""
    link = opened(token)
    waits = claims.ask_for_check(link.custom_domain, utc_now())
    note = {"note": TOO_SOON} if ceil(waits) > 0 else {}
    if not note:
        actor = LinkActor(link.custom_domain.account_id)
        name = link.custom_domain.domain_name
        audit.record(actor, "custom_domain_checked", link.custom_domain, name=name)
        ring_for(link.custom_domain)
    db.session.commit()
    return redirect(url_for(".show", token=token, **note), 303)


@blueprint.get("/<setup_token:token>/zone-file")
@permits(ANYBODY)
def zone_file(token: str) -> Response:
    """The records to import."""
    return zone_files.answer(opened(token).custom_domain)


@blueprint.get("/<setup_token:token>/logo")
@permits(ANYBODY)
def logo(token: str) -> Any:
    """The uploaded logo of the client whose page this is."""
    link = opened(token)
    served = finding.clients_on(link.custom_domain)
    digest = served[0].llm_client.app_logo_upload if served else ""
    found = images.find(link.custom_domain.account_id, digest) if digest else None
    if found is None:
        abort(404)
    return file_answer(found.content, found.media_type, digest)
