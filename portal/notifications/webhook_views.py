"""The account's webhooks: list, new, show with the log, edit, on and off, rotate, delete, test.

A secret is on the page that answers the POST which made it, and nowhere else.
"""

from __future__ import annotations

from typing import Any

from flask import abort, g, redirect, render_template, request, url_for

from portal.accounts import audit
from portal.database import db, utc_now
from portal.formatting import StatusView, status_view
from portal.notices import webhooks
from portal.notices.kinds import FOR_WEBHOOKS, RULES, Kind
from portal.notices.webhook_models import TEST, Webhook, WebhookDelivery
from portal.notifications import webhook_changes
from portal.notifications.views import blueprint
from portal.notifications.webhook_forms import WebhookForm
from portal.vault.forms import ConfirmForm
from portal.web import ADMIN, FormActor, number_argument, permits, said

LABELS: dict[str, str] = {TEST: "Test", **{kind.value: RULES[kind].label for kind in Kind}}


def owned_or_404(webhook_id: int) -> Webhook:
    """The account's webhook, held until the commit where it is about to be changed."""
    found = webhooks.for_account(g.account.id, webhook_id, lock=request.method == "POST")
    if found is None:
        abort(404)
    return found


@blueprint.get("/webhooks/")
@permits(ADMIN)
def webhook_index() -> str:
    """All of the account by name."""
    rows = [(webhook, status_of(webhook)) for webhook in webhooks.of_account(g.account.id)]
    return render_template("notifications/webhooks.html", rows=rows)


def status_of(webhook: Webhook) -> StatusView:
    """On, failing or off."""
    if not webhook.is_active:
        return status_view("failed" if webhook.off_reason else "off", "Off")
    if webhook.failing_since is not None:
        return status_view("attention", "Failing")
    return status_view("ready", "On")


@blueprint.route("/webhooks/new", methods=["GET", "POST"])
@permits(ADMIN)
def new_webhook() -> Any:
    """A new one; its secret is shown on the page that answers."""
    form = WebhookForm(data={"kinds": [kind.value for kind in FOR_WEBHOOKS]})
    if form.validate_on_submit():
        if webhooks.is_full(g.account.id):
            form.form_errors.append(webhook_changes.FULL)
        else:
            webhook, secret = webhook_changes.make(g.account.id, form.wanted(), FormActor())
            db.session.commit()
            return _shown_once(webhook, secret)
    page = render_template("notifications/webhook_edit.html", form=form, webhook=None)
    return page, (422 if form.errors or form.form_errors else 200)


def _shown_once(webhook: Webhook, secret: str) -> str:
    return render_template("notifications/webhook_secret.html", webhook=webhook, secret=secret)


@blueprint.get("/webhooks/<row_id:webhook_id>/")
@permits(ADMIN)
def show_webhook(webhook_id: int) -> str:
    """One webhook and what was sent to it."""
    webhook, before = owned_or_404(webhook_id), number_argument("before")
    found, older = webhooks.log_page(webhook, before)
    return render_template(
        "notifications/webhook.html",
        webhook=webhook,
        status=status_of(webhook),
        kinds=[LABELS[kind] for kind in webhook.kinds if kind in LABELS],
        rows=[(one, _status_of_delivery(one), LABELS.get(one.kind, one.kind)) for one in found],
        old_secret_until=webhook.old_secret_until,
        now=utc_now(),
        older_url=url_for(".show_webhook", webhook_id=webhook.id, before=older) if older else None,
        newer_url=url_for(".show_webhook", webhook_id=webhook.id) if before else None,
    )


def _status_of_delivery(delivery: WebhookDelivery) -> StatusView:
    if delivery.delivered_at is not None:
        return status_view("ready", "Delivered")
    if delivery.next_attempt_at is not None:
        return status_view("progress", "Waiting")
    return status_view("failed", "Not delivered")


@blueprint.route("/webhooks/<row_id:webhook_id>/edit", methods=["GET", "POST"])
@permits(ADMIN)
def edit_webhook(webhook_id: int) -> Any:
    """Another name, address, or choice of kinds; what waits goes to the new address."""
    webhook = owned_or_404(webhook_id)
    form = WebhookForm.of(webhook, data=webhook_changes.told(webhook))
    if form.validate_on_submit():
        webhook_changes.change(webhook, form.wanted(), FormActor())
        db.session.commit()
        said(f"{webhook.name} is saved.")
        return redirect(url_for(".show_webhook", webhook_id=webhook.id), 303)
    page = render_template("notifications/webhook_edit.html", form=form, webhook=webhook)
    return page, (422 if form.errors else 200)


@blueprint.post("/webhooks/<row_id:webhook_id>/switch")
@permits(ADMIN)
def switch_webhook(webhook_id: int) -> Any:
    """On or off, as the button said."""
    webhook, wants_on = owned_or_404(webhook_id), request.form.get("on") == "yes"
    if wants_on != webhook.is_active:
        webhook_changes.switch(webhook, FormActor())
    db.session.commit()
    said(f"{webhook.name} is {'on' if wants_on else 'off'}.", "ready" if wants_on else "off")
    return redirect(url_for(".show_webhook", webhook_id=webhook.id), 303)


@blueprint.route("/webhooks/<row_id:webhook_id>/rotate", methods=["GET", "POST"])
@permits(ADMIN)
def rotate_webhook(webhook_id: int) -> Any:
    """Another secret; the one before signs too for a day."""
    webhook, form = owned_or_404(webhook_id), ConfirmForm()
    if form.validate_on_submit():
        secret = webhooks.rotate(webhook, utc_now())
        audit.record(FormActor(), "webhook_secret_rotated", webhook)
        db.session.commit()
        return _shown_once(webhook, secret)
    return render_template("notifications/webhook_rotate.html", webhook=webhook)


@blueprint.route("/webhooks/<row_id:webhook_id>/delete", methods=["GET", "POST"])
@permits(ADMIN)
def delete_webhook(webhook_id: int) -> Any:
    """With its log."""
    webhook, form = owned_or_404(webhook_id), ConfirmForm()
    if form.validate_on_submit():
        audit.record(FormActor(), "webhook_deleted", webhook, before=webhook_changes.told(webhook))
        db.session.delete(webhook)
        db.session.commit()
        said(f"{webhook.name} is deleted.")
        return redirect(url_for(".webhook_index"), 303)
    return render_template("notifications/webhook_delete.html", webhook=webhook)


@blueprint.post("/webhooks/<row_id:webhook_id>/test")
@permits(ADMIN)
def test_webhook(webhook_id: int) -> Any:
    """Send a message that tells of nothing."""
    webhook = owned_or_404(webhook_id)
    if not webhook.is_active:
        said(f"{webhook.name} is off. Switch it on first.", "attention")
    elif webhooks.deliver_test(webhook, utc_now()):
        audit.record(FormActor(), "webhook_tested", webhook)
        said("A test is on its way. Reload to see how it went.", "progress")
    else:
        said("There were many tests just now. Wait a few minutes.", "attention")
    db.session.commit()
    return redirect(url_for(".show_webhook", webhook_id=webhook.id), 303)


@blueprint.post("/webhooks/<row_id:webhook_id>/deliveries/<row_id:delivery_id>/send")
@permits(ADMIN)
def redeliver(webhook_id: int, delivery_id: int) -> Any:
    """Send a message again, under the same id, so that the program can tell that it is the same."""
    webhook = owned_or_404(webhook_id)
    delivery = webhooks.delivery_of(webhook, delivery_id)
    if delivery is None:
        abort(404)
    if not webhook.is_active:
        said(f"{webhook.name} is off. Switch it on first.", "attention")
    elif delivery.next_attempt_at is None:
        delivery.attempt, delivery.delivered_at = 0, None
        delivery.message, delivery.next_attempt_at = "", utc_now()
        audit.record(FormActor(), "webhook_redelivered", webhook)
        said("The message is on its way again.", "progress")
    db.session.commit()
    return redirect(url_for(".show_webhook", webhook_id=webhook.id), 303)
