"""Everything that a domain's page, its polled fragment and the set-up link show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from portal.custom_domains import names, standing, words
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.standing import Links, Standing
from portal.database import current_settings
from portal.dns import ZONE_EDITORS
from portal.domain_setup import finding, links, rows
from portal.domain_setup.finding import ServedClient
from portal.domain_setup.rows import HostLine, RecordRow
from portal.formatting import READY, StatusView, plural, status_view
from portal.llm_clients import custom_hosts
from portal.llm_clients.deployment import words as run_words
from portal.llm_clients.pages.domain_page import sooner
from portal.system import heartbeats

MANUAL = "manual"
RUN_POLL_MS = 3_000
DONE = status_view("ready", "Done")
LATER = status_view("off", "Later")


@dataclass(frozen=True)
class Reader:
    """Who looks: with which name, and what the person may do. A set-up link's reader has no id."""

    user_id: int | None = None
    may_edit: bool = False
    is_admin: bool = False


@dataclass(frozen=True)
class SetupLink:
    """The link for the person who owns the DNS, and until when it works."""

    url: str
    expires_at: datetime


@dataclass(frozen=True)
class Steps:
    """The look of the four steps, and which of them is the one to do now."""

    records: StatusView
    checks: StatusView
    live: StatusView
    current: int


def worker_words(now: datetime) -> tuple[bool, str]:
    """Whether a worker is alive, and the sentence that says so."""
    return run_words.worker_words(heartbeats.seen_at("worker"), now)


def links_of(custom_domain: LLMClientCustomDomain, reader: Reader, back_url: str = "") -> Links:
    """Where the buttons of the checks lead for people with an account."""
    number, show_url = (
        custom_domain.id,
        url_for("custom_domains.show", custom_domain_id=custom_domain.id),
    )
    if not reader.may_edit or custom_domain.state == custom_domain.States.REMOVING:
        return Links(refresh_url=back_url or show_url)
    return Links(
        check_url=url_for("custom_domains.check", custom_domain_id=number),
        resume_url=url_for("custom_domains.resume", custom_domain_id=number),
        back_url=back_url or show_url,
        refresh_url=back_url or show_url,
    )


def context(
    custom_domain: LLMClientCustomDomain, now: datetime, zone: str, reader: Reader
) -> dict[str, Any]:
    """The domain's own page and its fragment; of one that is going, only to read."""
    if custom_domain.state == custom_domain.States.REMOVING:
        reader = Reader(reader.user_id)
    stands = standing.standing_of(
        custom_domain, now, zone, worker_words(now), links_of(custom_domain, reader)
    )
    served = finding.clients_on(custom_domain)
    return {
        **parts(custom_domain, now, stands, served),
        "reader": reader,
        "events": rows.event_lines(finding.events_of(custom_domain), served),
        "setup_link": setup_link(custom_domain, now) if reader.may_edit else None,
        "added_by": _added_by(custom_domain, reader),
        "poll_url": url_for("custom_domains.status", custom_domain_id=custom_domain.id),
        "zone_file_url": url_for("custom_domains.zone_file", custom_domain_id=custom_domain.id),
        "is_link": False,
        "is_going": custom_domain.state == custom_domain.States.REMOVING,
        "has_primary": True,
        "has_banner": True,
    }


def parts(
    custom_domain: LLMClientCustomDomain,
    now: datetime,
    stands: Standing,
    served: list[ServedClient],
) -> dict[str, Any]:
    """What the domain's page and the set-up link have in common."""
    results = words.results_of(custom_domain)
    hosts = host_lines(custom_domain, served, now)
    record_rows = rows.record_rows(custom_domain, results)
    is_busy = any(one.run is not None and one.run.is_active for one in served)
    return {
        "custom_domain": custom_domain,
        "shown_name": names.unicode_form(custom_domain.domain_name),
        "look_alike": names.look_alike_warning(custom_domain.domain_name),
        "standing": stands,
        "records": record_rows,
        "records_title": records_title(custom_domain, record_rows),
        "zone_editor_label": ZONE_EDITORS[custom_domain.zone_editor][0],
        "is_by_hand": custom_domain.zone_editor == MANUAL,
        "hosts": hosts,
        "steps": steps(stands, record_rows, hosts),
        "poll_after_ms": sooner(stands.poll_after_ms, RUN_POLL_MS if is_busy else None),
    }


def _added_by(custom_domain: LLMClientCustomDomain, reader: Reader) -> str:
    person = custom_domain.added_by
    if person is None:
        return "somebody who left"
    return "you" if person.id == reader.user_id else person.username


def setup_link(custom_domain: LLMClientCustomDomain, now: datetime) -> SetupLink:
    """The same address all day, so that an open page does not change because of it."""
    expires_at = links.expiry(now)
    token = links.token_of(custom_domain, expires_at, current_settings().secret_key)
    path = url_for("domain_setup.show", token=token)
    return SetupLink(f"{current_settings().platform_url}{path}", expires_at)


def records_title(custom_domain: LLMClientCustomDomain, record_rows: tuple[RecordRow, ...]) -> str:
    """`Publish two records`, or that we do it."""
    if custom_domain.zone_editor != MANUAL:
        return "We publish the records"
    required = sum(row.is_required for row in record_rows)
    small = ("no", "one", "two", "three", "four", "five", "six")
    if required == 1:
        return "Publish one record"
    if required < len(small):
        return f"Publish {small[required]} records"
    return f"Publish {plural(required, 'record', 'records')}"


def host_lines(
    custom_domain: LLMClientCustomDomain, served: list[ServedClient], now: datetime
) -> list[HostLine]:
    """Every host on the domain with its run and its certificate."""
    kept = finding.hosts_of(custom_domain)
    return [
        rows.host_line(one, host, current_settings().url_of(host), kept.get(host), now)
        for one in served
        for host in custom_hosts.wanted_hosts(one.llm_client, custom_domain)
    ]


STEP_WORDS = {"waiting": "Waiting on customer", "failed": "Failed"}
_WORST = ("failed", "waiting", "attention", "progress", "off", "ready")


def worst_look(looks: list[StatusView]) -> StatusView:
    """The one that somebody has to look at first; done where there is none."""
    worst = min(looks, key=lambda look: _WORST.index(look.token), default=DONE)
    return status_view(worst.token, STEP_WORDS.get(worst.token, worst.word))


def steps(stands: Standing, record_rows: tuple[RecordRow, ...], hosts: list[HostLine]) -> Steps:
    """Each step as done, as what is in its way, or as later."""
    entered = worst_look([row.status for row in record_rows if row.is_required])
    checked = DONE if stands.passed == len(stands.checks) else stands.status
    live = worst_look([host.status for host in hosts]) if hosts else LATER
    looks = (entered, checked, live)
    undone = [number for number, look in enumerate(looks, start=2) if look.token != READY.token]
    return Steps(entered, checked, live, undone[0] if undone else 0)
