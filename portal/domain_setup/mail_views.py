"""The set-up link by mail, and taking back every link that was given out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import g, redirect, render_template, request, url_for
from sqlalchemy import func, select

from portal.accounts.mails import Mail
from portal.adapters import current_adapters
from portal.custom_domains import names
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.domain_setup import page, zone_files
from portal.domain_setup.forms import MailForm
from portal.domain_setup.views import back_to, blueprint, owned_or_404, told
from portal.web import ADMIN, MEMBER, permits, said

MOST_A_DAY = 50  # of an account: what is mailed to strangers is in the portal's name
TOO_MANY = f"{MOST_A_DAY} mails a day are enough. Copy the link and send it yourself."


@blueprint.route("/<row_id:custom_domain_id>/setup-link/mail", methods=["GET", "POST"])
@permits(MEMBER)
def mail(custom_domain_id: int) -> Any:
    """Put a mail with the records and the link into the outbox."""
    custom_domain, form = owned_or_404(custom_domain_id), MailForm()
    link = page.setup_link(custom_domain, utc_now())
    if form.validate_on_submit():
        if _sent_today() < MOST_A_DAY:
            return _send(custom_domain, form.to_address.data or "", link.url)
        form.to_address.errors = [TOO_MANY]
    body = render_template(
        "custom_domains/mail.html",
        custom_domain=custom_domain,
        shown_name=names.unicode_form(custom_domain.domain_name),
        form=form,
        setup_link=link,
        has_server=current_adapters().mail_sender is not None,
        subject=_subject(custom_domain),
        text=zone_files.mail_text(custom_domain, link.url),
    )
    return body, (422 if form.errors else 200)


def _sent_today() -> int:
    since = utc_now() - timedelta(days=1)
    query = select(func.count()).where(
        Mail.account_id == g.account.id, Mail.user_id.is_(None), Mail.created_at > since
    )
    return int(db.session.scalar(query) or 0)


def _subject(custom_domain: LLMClientCustomDomain) -> str:
    return f"DNS records for {custom_domain.domain_name}"[:255]


def _send(custom_domain: LLMClientCustomDomain, address: str, url: str) -> Any:
    """One row in the outbox; the clock sends it, as any other mail."""
    can_leave = current_adapters().mail_sender is not None
    text = zone_files.mail_text(custom_domain, url)
    letter = Mail(
        account_id=g.account.id,
        to_address=address,
        subject=_subject(custom_domain),
        text=f"{g.account.company_name} asks for this.\n\n{text}",
        next_attempt_at=utc_now() if can_leave else None,
    )
    db.session.add(letter)
    told("setup_link_mailed", custom_domain, after={"to_address": address})
    db.session.commit()
    said(f"The set-up link is on its way to {address}." if can_leave else KEPT.format(to=address))
    return back_to(custom_domain)


KEPT = "No mail server is set up: the mail to {to} is in the outbox, under Notifications."


@blueprint.route("/<row_id:custom_domain_id>/setup-link/revoke", methods=["GET", "POST"])
@permits(ADMIN)
def revoke_link(custom_domain_id: int) -> Any:
    """Make every link that was given out useless; the next one is another."""
    custom_domain = owned_or_404(custom_domain_id)
    if request.method == "POST":
        custom_domain.setup_link_generation += 1
        told("setup_links_revoked", custom_domain)
        db.session.commit()
        said("The set-up links that were given out are revoked. A new one is on this page.")
        return redirect(url_for(".show", custom_domain_id=custom_domain_id), 303)
    return render_template(
        "custom_domains/revoke_link.html",
        custom_domain=custom_domain,
        shown_name=names.unicode_form(custom_domain.domain_name),
    )
