"""Certificates from a real ACME authority, step by step, and what happens when it misbehaves."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from portal.dns import Record
from portal.dns.local import LocalZoneEditor
from portal.dns.local_server import LocalNameServer
from portal.errors import AdapterError
from portal.issuer_settings import AcmeSettings
from portal.tls import AuthorityAccount, Challenge, Issuance, NotOrdered, acme_words
from portal.tls.acme import STUCK_AFTER, AcmeIssuer
from portal.tls.authority import key_text, new_key
from tests.edge_peers import Pebble, StartPebble, start_pebble
from tests.faulty_pebble import FaultyPebble, problem, soon
from tests.sampling import some_short

pytestmark = pytest.mark.engine_independent

ZONE = "ca.test"
HOST = f"bot.{ZONE}"
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="


class Accounts:
    """Keeps accounts in memory, as the database would."""

    def __init__(self) -> None:
        self.kept: dict[str, AuthorityAccount] = {}

    def account(self, directory: str) -> AuthorityAccount:
        return self.kept.setdefault(directory, AuthorityAccount(key_text(new_key())))

    def keep_uri(self, directory: str, uri: str) -> None:
        self.kept[directory] = AuthorityAccount(self.kept[directory].key_pem, uri)

    def forget(self, directory: str, uri: str) -> None:
        if self.kept[directory].uri == uri:
            del self.kept[directory]


class Proofs:
    """Shows proofs: files on a web server, TXT records in a zone."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[tuple[str, str], str] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host = self.headers["Host"].partition(":")[0]
                outer.asked.append(host)
                content = outer.files.get((host, self.path.rpartition("/")[2]), "")
                self.send_response(200 if content else 404)
                self.end_headers()
                self.wfile.write(content.encode())

            def log_message(self, *arguments: Any) -> None:
                pass

        self.web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.web.daemon_threads = True
        addresses = tuple(
            Record(f"{name}{ZONE}", "A", ("127.0.0.1",), 1) for name in ("", "bot.", "*.w.")
        )
        self.names = LocalNameServer(
            (ZONE,), "127.0.0.1", 0, folder / "zone.json", "key", SECRET, addresses
        )
        self.editor = LocalZoneEditor(ZONE, "127.0.0.1", self.names.port, "key", SECRET)
        self.names.start()
        self._thread = threading.Thread(target=self.web.serve_forever, args=(0.02,))
        self._thread.start()

    def show(self, challenges: tuple[Challenge, ...]) -> None:
        for one in challenges:
            if one.kind == "http-01":
                self.files[one.host, one.token] = one.content
            else:
                name = f"_acme-challenge.{one.host}"
                self.editor.publish(Record(name, "TXT", (one.content,), 1))

    def stop(self) -> None:
        self.web.shutdown()
        self.web.server_close()
        self._thread.join()
        self.names.stop()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proofs]:
    found = Proofs(tmp_path_factory.mktemp("proofs"))
    yield found
    found.stop()


@pytest.fixture
def proofs(shown: Proofs) -> Proofs:
    """The servers of all these tests, with nothing shown on the web and nobody who asked."""
    shown.files.clear()
    shown.asked.clear()
    return shown


@pytest.fixture(scope="module")
def pebble(shown: Proofs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    """One authority; each test has accounts of its own there, and so orders of its own."""
    folder = tmp_path_factory.mktemp("pebble")
    started = start_pebble(folder, **ports_of(shown))
    yield started
    started.program.stop()


def ports_of(proofs: Proofs) -> dict[str, int]:
    """Where an authority looks for proofs."""
    return {"dns_port": proofs.names.port, "http_port": proofs.web.server_address[1]}


@pytest.fixture
def authority(pebble: Pebble) -> Iterator[FaultyPebble]:
    found = FaultyPebble(pebble)
    yield found
    found.stop()


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


Issue = Callable[..., Issuance]


def issuer_at(ca: Pebble | FaultyPebble, accounts: Accounts, **more: str) -> AcmeIssuer:
    values = {"contact": "ops@example.test", **more}
    return AcmeIssuer(AcmeSettings(ca.directory, ca_file=str(ca.ca_file), **values), accounts)


def now() -> datetime:
    return datetime.now(UTC)


def steps(
    issuer: AcmeIssuer, proofs: Proofs, *names: str, state: dict[str, Any] | None = None
) -> Iterator[Issuance]:
    """Every step of an order, its proofs shown, its state carried as the database would.

    A silence of the authority is outwaited once, as the job would: a full machine can make one.
    """
    state, is_second_try = state or {}, False
    for _ in range(200):
        try:
            found = issuer.request(names or (HOST,), now(), state)
        except AdapterError as error:
            if error.permanent or is_second_try:
                raise
            is_second_try = True
            continue
        yield found
        if found.status != "waiting" or found.refused:
            return
        proofs.show(found.challenges)
        state = json.loads(json.dumps(found.state))
        threading.Event().wait(0.02)
    raise AssertionError("no end")


def outcome(issuer: AcmeIssuer, proofs: Proofs, *names: str) -> Issuance:
    return list(steps(issuer, proofs, *names))[-1]


def test_a_host_by_a_file(pebble: Pebble, proofs: Proofs, accounts: Accounts) -> None:
    taken = list(steps(issuer_at(pebble, accounts), proofs))

    issued = taken[-1]
    leaf, *above = x509.load_pem_x509_certificates(issued.chain_pem.encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert issued.status == "issued"
    assert names.get_values_for_type(x509.DNSName) == [HOST]
    assert above
    assert issued.serial == format(leaf.serial_number, "x")
    assert "PRIVATE KEY" in issued.key_pem
    assert taken[0].has_ordered
    assert not any(step.has_ordered for step in taken[1:])
    assert [one.kind for one in taken[0].challenges] == ["http-01"]
    assert taken[0].retry_in_seconds == 0
    assert set(proofs.asked) == {HOST}


def test_a_wildcard_by_a_record(pebble: Pebble, proofs: Proofs, accounts: Accounts) -> None:
    issued = outcome(issuer_at(pebble, accounts), proofs, f"*.w.{ZONE}")

    assert issued.status == "issued"
    assert [(one.kind, one.host) for one in issued.challenges] == [("dns-01", f"w.{ZONE}")]


def test_a_record_where_records_are_preferred(
    pebble: Pebble, proofs: Proofs, accounts: Accounts
) -> None:
    issued = outcome(issuer_at(pebble, accounts, challenge="dns-01"), proofs)

    assert [one.kind for one in issued.challenges] == ["dns-01"]
    assert proofs.asked == []


def test_every_step_may_be_the_last_of_its_process(
    pebble: Pebble, proofs: Proofs, accounts: Accounts
) -> None:
    """Each step by an issuer that remembers nothing, each done twice."""
    state: dict[str, Any] = {}
    for _ in range(100):
        issuer_at(pebble, accounts).request((HOST,), now(), state)
        found = issuer_at(pebble, accounts).request((HOST,), now(), state)
        if found.status == "issued":
            break
        proofs.show(found.challenges)
        state = found.state
    assert found.status == "issued"
    assert len(accounts.kept) == 1


def test_one_account_for_all(pebble: Pebble, proofs: Proofs, accounts: Accounts) -> None:
    for _ in range(2):
        outcome(issuer_at(pebble, accounts), proofs)
    [account] = accounts.kept.values()
    assert "/my-account/" in account.uri

    forgetful = Accounts()
    forgetful.kept[pebble.directory] = AuthorityAccount(account.key_pem)
    assert outcome(issuer_at(pebble, forgetful), proofs).status == "issued"
    assert forgetful.kept == accounts.kept


def test_an_account_that_is_bound_to_another(
    make_pebble: StartPebble, proofs: Proofs, accounts: Accounts
) -> None:
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    strict = make_pebble(**ports_of(proofs), external_accounts={"kid-1": key})
    found = issuer_at(strict, Accounts()).request((HOST,), now(), {})
    assert (found.status, found.reason) == ("waiting", "ca_account")

    bound = issuer_at(strict, accounts, eab_key_id="kid-1", eab_key=key)
    assert outcome(bound, proofs).status == "issued"


@pytest.mark.long
def test_the_library_is_loaded_where_it_is_chosen_only() -> None:
    """It brings another HTTP client: memory that nobody else should pay for."""
    program = "import sys, portal.app, portal.adapters; sys.exit('acme' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_keys_and_state_are_not_shown(
    pebble: Pebble, proofs: Proofs, accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    first = issuer_at(pebble, accounts).request((HOST,), now(), {})
    outcome(issuer_at(pebble, accounts), proofs)

    assert "PRIVATE" not in repr(first) + repr(accounts.kept) + caplog.text
    assert "payload" not in caplog.text


def test_revoked_is_told_to_the_authority_once(
    pebble: Pebble, proofs: Proofs, accounts: Accounts
) -> None:
    issuer = issuer_at(pebble, accounts)
    issued = outcome(issuer, proofs)
    assert pebble.status_of(issued.serial) == "Valid"

    for _ in range(2):
        issuer.revoke(issued.chain_pem, now())

    assert pebble.status_of(issued.serial) == "Revoked"


def test_what_has_expired_is_not_revoked(accounts: Accounts, authority: FaultyPebble) -> None:
    issuer = issuer_at(authority, accounts)
    root = x509.load_pem_x509_certificate(authority.pebble.root_pem().encode())
    seen = len(authority.seen)
    issuer.revoke(authority.pebble.root_pem(), root.not_valid_after_utc + timedelta(days=1))
    assert len(authority.seen) == seen


class TestWhatTheAuthoritySays:
    def test_somebody_else_answers(
        self, pebble: Pebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        issuer = issuer_at(pebble, accounts)
        first = issuer.request((HOST,), now(), {})
        proofs.files[HOST, first.challenges[0].token] = "something else"
        found = first
        while not found.refused:
            found = issuer.request((HOST,), now(), first.state)

        assert (found.status, found.reason) == ("waiting", "challenge_wrong")
        assert HOST in found.message
        assert "urn:ietf:params:acme:error:unauthorized" in found.detail
        assert found.state == {}
        assert [one.token for one in found.challenges] == [first.challenges[0].token]

    def test_nothing_listens(
        self, make_pebble: StartPebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        nobody = make_pebble(dns_port=proofs.names.port, http_port=1)
        found = outcome(issuer_at(nobody, accounts), proofs)
        assert found.refused
        assert found.reason == "port_80_closed"

    def test_the_name_has_no_address(
        self, pebble: Pebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        found = outcome(issuer_at(pebble, accounts), proofs, f"nobody.{ZONE}")
        assert found.refused
        assert found.reason in ("dns_trouble", "port_80_closed", "challenge_wrong")
        assert "acme:error" in found.detail

    def test_a_name_that_is_none_is_refused_for_good(
        self, pebble: Pebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        found = outcome(issuer_at(pebble, accounts), proofs, f"not_a_name.{ZONE}")
        assert found.status == "failed"
        assert found.reason in ("ca_bad_request", "rejected_name")

    @pytest.mark.parametrize(
        ("headers", "detail", "least", "most"),
        [
            ({"Retry-After": "7200"}, "too many", 7200, 7200),
            ({}, "too many", 3600, 3600),
            ({}, "too many :: retry after {until} UTC: see", 1700, 1802),
        ],
        ids=["seconds", "unsaid", "in the sentence"],
    )
    def test_its_limit_is_reached(
        self, authority: FaultyPebble, proofs: Proofs, accounts: Accounts,
        headers: dict[str, str], detail: str, least: int, most: int,
    ) -> None:  # fmt: skip
        said = detail.format(until=f"{now() + timedelta(minutes=30):%Y-%m-%d %H:%M:%S}")
        authority.faults["/order-plz"] = [problem(429, "rateLimited", said, **headers)]
        issuer = issuer_at(authority, accounts)

        found = issuer.request((HOST,), now(), {})

        assert (found.status, found.reason) == ("waiting", "ca_rate_limit")
        assert found.retry_in_seconds is not None
        assert least <= found.retry_in_seconds <= most
        assert "until" in found.message
        assert said in found.detail
        assert outcome(issuer, proofs).status == "issued"

    def test_our_account_was_shut(self, authority: FaultyPebble, accounts: Accounts) -> None:
        shut = problem(401, "unauthorized", "Account is not valid, has status revoked")
        authority.faults["/order-plz"] = [shut]
        found = issuer_at(authority, accounts).request((HOST,), now(), {})
        assert (found.status, found.reason, found.refused) == ("waiting", "ca_account", True)
        assert "revoked" in found.detail

    def test_our_account_was_forgotten(
        self, pebble: Pebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        """As after a test authority's restart: a new account, a new key, and on."""
        outcome(issuer_at(pebble, accounts), proofs)
        before = accounts.kept[pebble.directory]
        accounts.keep_uri(pebble.directory, before.uri + "0")

        assert outcome(issuer_at(pebble, accounts), proofs).status == "issued"

        assert accounts.kept[pebble.directory].key_pem != before.key_pem


class TestMisbehaviour:
    def test_half_of_all_nonces_are_refused(
        self, make_pebble: StartPebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        picky = make_pebble(**ports_of(proofs), environment={"PEBBLE_WFE_NONCEREJECT": "50"})
        assert outcome(issuer_at(picky, accounts), proofs).status == "issued"

    @pytest.mark.parametrize(
        "path", some_short(["/order-plz", "/dir", "/my-order/", "/chalZ/", "/certZ/"], one_in=2)
    )
    def test_a_fault_is_no_answer(
        self, authority: FaultyPebble, proofs: Proofs, accounts: Accounts, path: str
    ) -> None:
        authority.faults[path] = [
            (500, {"Content-Type": "text/html"}, b"<h1>Oops</h1>"),
            problem(503, "serverInternal", "Down for maintenance"),
        ]
        state: dict[str, Any] = {}
        troubles, issued = [], False
        for _ in range(100):
            try:
                found = issuer_at(authority, accounts).request((HOST,), now(), state)
            except AdapterError as error:
                troubles.append((error.reason, error.permanent))
                continue
            issued = found.status == "issued"
            if issued:
                break
            proofs.show(found.challenges)
            state = found.state
        assert issued
        assert troubles == [("ca_unavailable", False)] * 2
        assert authority.count("/order-plz") <= 3

    @pytest.mark.parametrize("is_known", [False, True])
    def test_an_authority_that_is_away_has_made_no_order(
        self, accounts: Accounts, make_pebble: StartPebble, proofs: Proofs, is_known: bool
    ) -> None:
        own = make_pebble(**ports_of(proofs))
        issuer = issuer_at(own, accounts)
        if is_known:
            issuer.request((HOST,), now(), {})
        own.program.stop()
        with pytest.raises(NotOrdered) as caught:
            issuer.request((HOST,), now(), {})
        assert caught.value.reason == "ca_unavailable"

    def test_an_authority_that_is_not_who_it_says(self, accounts: Accounts, pebble: Pebble) -> None:
        issuer = AcmeIssuer(AcmeSettings(pebble.directory), accounts)
        with pytest.raises(AdapterError) as caught:
            issuer.request((HOST,), now(), {})
        assert caught.value.reason == "ca_untrusted"

    def test_an_order_stuck_in_pending_is_given_up(
        self, authority: FaultyPebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        authority.rewrites["/my-order/"] = {"status": "pending"}
        issuer = issuer_at(authority, accounts)
        state = issuer.request((HOST,), now(), {}).state

        waits = [issuer.request((HOST,), now() + timedelta(seconds=s), state) for s in (1, 30, 900)]
        over = issuer.request((HOST,), now() + STUCK_AFTER + timedelta(seconds=9), state)

        assert [found.retry_in_seconds for found in waits] == [1, 3, 60]
        assert (over.reason, over.refused, over.state) == ("ca_stuck", True, {})

    def test_an_order_that_became_invalid(
        self, authority: FaultyPebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        error = {"type": "urn:ietf:params:acme:error:caa", "detail": "CAA forbids bot"}
        authority.rewrites["/my-order/"] = {"status": "invalid", "error": error}
        found = outcome(issuer_at(authority, accounts), proofs)
        assert (found.reason, found.refused) == ("caa_forbids", True)
        assert "CAA forbids bot" in found.detail

    def test_an_order_that_is_gone(
        self, authority: FaultyPebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        issuer = issuer_at(authority, accounts)
        first = issuer.request((HOST,), now(), {})
        authority.faults["/my-order/"] = [problem(404, "malformed", "No order for ID")]
        found = issuer.request((HOST,), now(), first.state)
        assert (found.status, found.reason, found.state) == ("waiting", "order_gone", {})
        assert not found.refused
        assert outcome(issuer, proofs).status == "issued"

    def test_an_order_of_other_names_is_not_gone_on_with(
        self, authority: FaultyPebble, accounts: Accounts
    ) -> None:
        issuer = issuer_at(authority, accounts)
        first = issuer.request((HOST,), now(), {})
        other = issuer.request((f"other.{ZONE}",), now(), first.state)
        assert (other.reason, other.state, other.has_ordered) == ("order_gone", {}, False)
        assert authority.count("/order-plz") == 1

    def test_an_order_whose_proofs_cannot_be_read_is_counted(
        self, authority: FaultyPebble, accounts: Accounts
    ) -> None:
        authority.faults["/authZ/"] = [problem(404, "malformed", "No authorization for ID")]
        found = issuer_at(authority, accounts).request((HOST,), now(), {})
        assert (found.has_ordered, found.state) == (True, {})


class TestRenewalInformation:
    def test_as_the_authority_suggests(
        self, authority: FaultyPebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        authority.window = soon(now(), 20)
        issuer = issuer_at(authority, accounts)
        issued = outcome(issuer, proofs)

        found = issuer.renewal(issued.chain_pem, now())

        assert found.at is not None
        assert authority.window[0] <= found.at <= authority.window[1]
        assert found.ask_again_at is not None
        assert abs(found.ask_again_at - now() - timedelta(hours=6)) < timedelta(minutes=1)

    def test_an_authority_that_suggests_nothing(
        self, pebble: Pebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        issuer = issuer_at(pebble, accounts)
        issued = outcome(issuer, proofs)
        assert issuer.renewal(issued.chain_pem, now()).at is None

    def test_a_suggestion_that_makes_no_sense(
        self, authority: FaultyPebble, proofs: Proofs, accounts: Accounts
    ) -> None:
        authority.window = soon(now(), 20)
        issuer = issuer_at(authority, accounts)
        issued = outcome(issuer, proofs)
        authority.faults["/ari/"] = [(200, {"Content-Type": "application/json"}, b"{}")]
        with pytest.raises(AdapterError) as caught:
            issuer.renewal(issued.chain_pem, now())
        assert not caught.value.permanent


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120), ("0", 1), ("", None), ("soon", None), ("99999999999", 604_800),
     ("Fri, 01 May 2026 12:01:00 GMT", 60)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str, seconds: int | None) -> None:
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert acme_words.seconds_to_wait(text, "", at) == seconds
