"""Writing mails for what ended, and sending them. A notice is written once, whoever is killed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select, update

from portal.accounts.mails import Mail
from portal.accounts.models import Account
from portal.adapters import current_adapters
from portal.database import current_settings, db, utc_now
from portal.errors import AdapterError
from portal.job_queue import Ring, claim, job, job_name, ring_key, rings_of, still_ours, sweep
from portal.llm_clients.deployment.models import Deployment
from portal.notices import damping
from portal.notices.models import Notice
from portal.notices.telling import fan_out, tell
from portal.notifications import letter_html, notices
from portal.people import letters
from portal.smtp import Letter

MOST_AT_ONCE = 100
RETRY_SECONDS = (60, 300, 900, 3600, 3600 * 4, 3600 * 8, 3600 * 8)


@sweep
def ended_deployments(now: datetime) -> Iterator[Ring]:
    """Runs that ended and of which nobody was told."""
    query = (
        select(Deployment.id, Deployment.generation, Deployment.finished_at)
        .where(Deployment.notified_at.is_(None), Deployment.finished_at <= now)
        .order_by(Deployment.id)
        .limit(MOST_AT_ONCE)
    )
    for run_id, generation, finished_at in db.session.execute(query):
        key = ring_key(run_id, generation, finished_at, now)
        yield Ring(job_name(write_notice), (run_id,), key)


@job
def write_notice(deployment_id: int) -> None:
    """Tell of a run, in the transaction that says that it was done."""
    now = utc_now()
    taken = db.session.execute(
        update(Deployment)
        .where(Deployment.id == deployment_id, Deployment.notified_at.is_(None))
        .where(Deployment.finished_at.is_not(None))
        .values(notified_at=now)
        .execution_options(synchronize_session=False)
    )
    run = db.session.get(Deployment, deployment_id, populate_existing=True)
    if taken.rowcount == 1 and run is not None and notices.worth_telling(run):
        tell(run.llm_client.account_id, notices.news(run), now)
    db.session.commit()


@sweep
def held_notices(now: datetime) -> Iterator[Ring]:
    """Notices that were held because what they tell of goes on and off, and may be told now."""
    query = (
        select(Notice.id, Notice.held_until)
        .where(Notice.held_until <= now)
        .order_by(Notice.held_until)
        .limit(MOST_AT_ONCE)
    )
    for notice_id, held_until in db.session.execute(query):
        key = ring_key(notice_id, 0, held_until, now)
        yield Ring(job_name(tell_gathered), (notice_id,), key)


@job
def tell_gathered(notice_id: int) -> None:
    """Tell of all held notices of a key in one, in the transaction that takes them out."""
    now = utc_now()
    notice = db.session.get(Notice, notice_id)
    if notice is not None and notice.held_until is not None and notice.held_until <= now:
        held = damping.take_held(notice)
        if held:
            gathered = damping.gathered_from(held, now)
            db.session.add(gathered)
            db.session.flush()
            fan_out(gathered, now)
    db.session.commit()


@sweep
def due_mails(now: datetime) -> Iterator[Ring]:
    """Mails that a server may take now."""
    yield from rings_of(Mail, send_mail, now, Mail.sent_at.is_(None), most=MOST_AT_ONCE)


@job
def send_mail(mail_id: int) -> None:
    """One attempt to hand a mail over."""
    mail = claim(Mail, mail_id, utc_now())
    sender = current_adapters().mail_sender
    if mail is None or sender is None:
        db.session.rollback()
        return
    generation = mail.generation
    error: AdapterError | None = None
    try:
        letter = _letter(mail)
        db.session.rollback()
        sender.send(letter)
    except AdapterError as caught:
        error = caught
    mail = still_ours(Mail, mail_id, generation)
    if mail is not None:
        record(mail, error, utc_now())
    db.session.commit()


def _letter(mail: Mail) -> Letter:
    """What leaves of a mail: text and HTML, and where to choose if it came from a notice."""
    text = letters.whole_text(mail)
    company = db.session.get_one(Account, mail.account_id).company_name
    choose_url = ""
    if mail.notice_id is not None:
        choose_url = f"{current_settings().platform_url}/account/notifications"
    html = letter_html.html_of(mail.subject, text, company, choose_url)
    if choose_url:
        text = f"{text.rstrip()}\n\nChoose which mails you get: {choose_url}\n"
    return Letter(mail.to_address, mail.subject, text, f"portal-mail-{mail.id}", html)


def record(mail: Mail, error: AdapterError | None, now: datetime) -> None:
    """Store what came of an attempt; a refusal for good, or a day of refusals, ends the trying."""
    mail.attempt += 1
    mail.broken_off = 0
    mail.leased_until = None
    mail.message = error.public_message if error else ""
    mail.next_attempt_at = None
    if error is None:
        mail.sent_at = now
    elif not error.permanent and mail.attempt <= len(RETRY_SECONDS):
        mail.next_attempt_at = now + timedelta(seconds=RETRY_SECONDS[mail.attempt - 1])
    if mail.next_attempt_at is None:
        mail.sealed_text = ""  # nobody needs the link in it any more
