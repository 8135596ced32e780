"""The whole stage: BIND or knot, unbound, pebble and Caddy around the portal, and its admins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import dns.query
import dns.tsigkeyring
import dns.update
from sqlalchemy import select

from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from portal.llm_clients.models import LLMClientHost
from tests.crowd import Stopwatch
from tests.dns_peers import KEY_NAME, KEY_SECRET, Peer
from tests.edge_portal import EdgePortal
from tests.people import Browser, Page

CUSTOMER = "lakeside-clinic.test"


@dataclass(frozen=True)
class ShownRecord:
    """A line of the table of records, as somebody copies it."""

    type: str
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Owner:
    """Whoever owns the customer's zone: enters and removes records at its name server."""

    authority: Peer

    def enter(self, *records: ShownRecord) -> None:
        """What a DNS panel does with a filled-in form: beside whatever is there.

        With a TTL of a second, so that a test need not wait for caches.
        """
        change = self._change()
        for record in records:
            for value in record.values:
                shown = f'"{value}"' if record.type == "TXT" else f"{value}."
                change.add(f"{record.name}.", 1, record.type, shown)
        self._send(change)

    def remove(self, record: ShownRecord) -> None:
        """The record's own values only."""
        change = self._change()
        for value in record.values:
            shown = f'"{value}"' if record.type == "TXT" else f"{value}."
            change.delete(f"{record.name}.", record.type, shown)
        self._send(change)

    def _change(self) -> dns.update.UpdateMessage:
        keys = dns.tsigkeyring.from_text({KEY_NAME: KEY_SECRET})
        return dns.update.UpdateMessage(f"{CUSTOMER}.", keyring=keys)

    def _send(self, change: dns.update.UpdateMessage) -> None:
        answer = dns.query.tcp(change, self.authority.host, 5, port=self.authority.port)
        assert answer.rcode() == 0, answer


@dataclass(frozen=True)
class Admin:
    """Somebody who works with forms, without script."""

    browser: Browser
    portal: EdgePortal

    def creates_client(self, name: str) -> str:
        """The path of the new client's page."""
        form = self.browser.get("/llm-clients/new").values()
        return self.browser.post("/llm-clients/new", {**form, "name": name}).location

    def renames(self, client: str, name: str) -> None:
        form = self.browser.get(f"{client}edit").values()
        self.browser.post(f"{client}edit", {**form, "name": name})

    def deploys(self, client: str) -> Stopwatch:
        """Press Deploy; what has run since it was pressed."""
        pressed = Stopwatch()
        self.browser.post(f"{client}deploy", {"confirm": "yes"})
        return pressed

    def default_host(self, client: str) -> str:
        return self.browser.get(client).find("code").get_text().strip()

    def adds_domain(self, **more: str) -> str:
        """The path of the domain's page."""
        return self.browser.post("/custom-domains/new", {"domain_name": CUSTOMER, **more}).location

    def attaches(self, client: str, domain: str) -> None:
        self.browser.post(f"{domain}clients/attach", {"llm_client": client.split("/")[-2]})

    def checks_now(self, domain: str) -> None:
        self.browser.post(f"{domain}check")

    def records(self, domain: str) -> list[ShownRecord]:
        """The table of records, read off the page."""
        page = self.browser.get(domain)
        return [
            ShownRecord(
                row.select_one("th code").get_text(),
                row.select_one("details code").get_text(),
                tuple(code.get_text() for code in row.select("td[data-label^=Expected] code")),
            )
            for row in page.html.select("table.records tbody tr")
            if row.select_one("details code")
        ]

    def record(self, domain: str, type: str) -> ShownRecord:
        [found] = [one for one in self.records(domain) if one.type == type]
        return found

    def uses_editor(self, domain: str, authority: Peer) -> Page:
        """Give the portal the key of the zone, as the form of dynamic updates asks for it."""
        values = authority.zone_editor_settings(CUSTOMER)
        sent = {f"setting_{name}": value for name, value in values.items() if name != "zone"}
        return self.browser.post(f"{domain}publishing/rfc2136", sent)

    def answered(self, host: str, since: Stopwatch, most: float = 10.0) -> str:
        """Work until visitors are answered at the host; the serial of what the edge shows then.

        `since` runs since the button was pressed; it must not take longer than `most` seconds,
        not counting those in which other programs had the processors.
        """
        self.portal.work(lambda: is_open(host), 60)
        status, _ = self.portal.get(host)
        took = since.seconds()
        assert status == 200
        assert took < most, f"{host}: {took:.1f} s {self.portal.last_words()}"
        return self.portal.shown(host)

    def refused(self, *hosts: str) -> bool:
        """Whether the edge refuses the next handshake for each of the hosts."""
        return [self.portal.shown(host) for host in hosts] == [""] * len(hosts)


def is_open(host: str) -> bool:
    entry = db.session.scalar(select(LLMClientHost).where(LLMClientHost.hostname == host))
    client = entry.llm_client if entry is not None else None
    return entry is not None and entry.is_open and client is not None and client.deployed


def is_gone(host: str) -> Callable[[], bool]:
    """Whether nothing of the host is left but its tombstone."""
    query = select(LLMClientHost.state).where(LLMClientHost.hostname == host)
    return lambda: db.session.scalar(query) == LLMClientHost.States.TOMBSTONE


def holders() -> list[int]:
    """The accounts that hold the customer's domain."""
    query = select(LLMClientCustomDomain.account_id).where(
        LLMClientCustomDomain.domain_name == CUSTOMER, LLMClientCustomDomain.is_verified
    )
    return list(db.session.scalars(query))
