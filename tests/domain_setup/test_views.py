"""The pages of domains: added, watched, checked, removed; in words; nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.accounts.models import AuditEvent
from portal.certificates.models import Certificate
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.system import heartbeats
from tests.domain_setup import some_domains
from tests.domain_setup.conftest import MakeDomain, client_of, statements
from tests.people import Browser, MakeClient, People
from tests.planes import Planes

DomainOf = Callable[[int], LLMClientCustomDomain | None]
States = LLMClientCustomDomain.States


def actions(planes: Planes) -> list[str]:
    with planes.worker.app_context():
        return list(db.session.scalars(db.select(AuditEvent.action).order_by(AuditEvent.id)))


def test_the_empty_list_teaches_and_leads_to_the_form(alice: Browser, people: People) -> None:
    page = alice.get("/custom-domains/")
    assert "Add your first domain" in page.words
    assert alice.get(str(page.find(".empty-state a")["href"])).find("h1").text == "Add a domain"
    assert (
        "An admin of your account adds domains"
        in people.browser(people.bob).get("/custom-domains/").words
    )


@pytest.mark.parametrize(
    ("typed", "name", "next_step"),
    [
        (
            "https://Chat.Lakeside-Clinic.eu./shop?x=1",
            "chat.lakeside-clinic.eu",
            "Publish the records below.",
        ),
        ("Bücherwelt.eu", "xn--bcherwelt-q9a.eu", "Publish the records below."),
        ("clinic.example", "clinic.example", "The records below are published by us."),
    ],
)
def test_a_domain_is_added_as_it_is_typed_and_shows_its_records_at_once(
    alice: Browser, planes: Planes, typed: str, name: str, next_step: str
) -> None:
    page = alice.follow(alice.post("/custom-domains/new", {"domain_name": typed}))
    assert f"is added. {next_step}" in page.words
    assert f"_llm-verify.{name}" in page.text
    assert "llm-verify=" in page.find(".records").get_text()
    assert page.find("nav .count + *, a[aria-current] .count").get_text() == "1"
    assert page.find("#status")["data-poll-url"]
    assert actions(planes) == ["custom_domain_added"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter a domain."),
        ("co.uk", "Everybody may register names under co.uk"),
        ("127.0.0.1", "This is an IP address."),
        ("*.lakeside.example", "without the asterisk"),
        ("localhost", "at least two parts"),
        ("shop.api.local.localhost", "belongs to this platform"),
        ("lаkeside.example", "Letters of different scripts are mixed"),
    ],
)
def test_what_cannot_be_added_is_refused_with_a_reason_and_kept(
    alice: Browser, planes: Planes, typed: str, sentence: str
) -> None:
    page = alice.post("/custom-domains/new", {"domain_name": typed}, expected=422)
    assert sentence in page.words
    assert page.find("#domain_name")["value"] == typed
    assert str(page.find("title").text).startswith("Error:")
    assert actions(planes) == []


def test_a_domain_that_is_there_already_is_refused(alice: Browser, make_domain: MakeDomain) -> None:
    make_domain("own.example")
    page = alice.post("/custom-domains/new", {"domain_name": "OWN.example"}, expected=422)
    assert "own.example is one of your domains already." in page.words
    assert "I own this domain now" not in page.words


def test_a_name_that_another_account_holds_wants_a_confirmation_and_then_a_proof(
    alice: Browser, people: People, make_domain: MakeDomain
) -> None:
    make_domain("held.example", owner=people.charlie, is_verified=True, state=States.VERIFIED)
    typed = {"domain_name": "held.example"}
    page = alice.post("/custom-domains/new", typed, expected=422)
    assert "in use by another account" in page.words
    assert "Elsewhere" not in page.words, "nobody learns who holds it"
    assert page.find("#owns_it_now")
    claimed = alice.follow(alice.post("/custom-domains/new", {**typed, "owns_it_now": "y"}))
    assert claimed.find("h1").text == "held.example"
    assert "Live" not in claimed.find(".head-title").text


def test_a_name_is_shown_while_it_is_typed(alice: Browser, people: People) -> None:
    page = alice.get("/custom-domains/name-preview?name=B%C3%BCcherwelt.example")
    assert "Will be added as bücherwelt.example" in page.words
    assert "xn--bcherwelt-q9a.example" in page.words
    twin = alice.get("/custom-domains/name-preview?name=%D0%B0%D1%80%D1%80%D3%8F%D0%B5.example")
    assert "looks like apple.example and is another domain" in twin.words
    assert "Add" not in alice.get("/custom-domains/name-preview?name=").words
    people.browser(people.bob).get("/custom-domains/name-preview?name=x.example", 403)


@pytest.fixture
def one_too_deep(planes: Planes, make_client: MakeClient, make_domain: MakeDomain) -> int:
    """The example of the design."""
    hashed_id = make_client("patient_desk")

    def describe(domain: LLMClientCustomDomain) -> None:
        host = some_domains.put_on(domain, client_of(hashed_id))
        some_domains.one_level_too_deep(domain, host, utc_now())
        some_domains.note(domain, "wrong", "The proof is one level too deep.")

    return make_domain("lakeside-clinic.example", describe)


def test_the_page_begins_with_the_worst_finding(alice: Browser, one_too_deep: int) -> None:
    page = alice.get(f"/custom-domains/{one_too_deep}/")
    banner = page.find("#banner > .notice")
    words = " ".join(banner.get_text(" ").split())
    assert words.startswith("The record is one level too deep The TXT record is right")
    assert banner.select_one("mark").get_text() == ".lakeside-clinic.example"
    assert "Who acts: whoever manages the DNS of lakeside-clinic.example ." in words.replace(
        "example.", "example ."
    )
    assert "Change the name of the TXT record to _llm-verify and leave its value." in words
    assert "Waiting on customer" in page.find(".head-title").text
    assert "Will serve patient_desk at patient-desk.lakeside-clinic.example" in page.words


def test_records_have_their_short_and_full_name_and_what_was_found(
    alice: Browser, one_too_deep: int
) -> None:
    rows = alice.get(f"/custom-domains/{one_too_deep}/").html.select(".records tbody tr")
    words = [" ".join(row.get_text(" ").split()) for row in rows]
    assert words[0].startswith("TXT TTL 300 _llm-verify .lakeside-clinic.example Full name")
    assert "_llm-verify.lakeside-clinic.example llm-verify=7f2c91d0a4be4c53" in words[0]
    assert "Wrong name" in words[0]
    assert "Correct edge.api.example.com" in words[1]
    copies = [str(button["data-copy"]) for button in rows[1].select("[data-copy]")]
    full = "patient-desk.lakeside-clinic.example"
    assert copies == ["patient-desk", full, "edge.api.example.com"]


def test_the_five_checks_stand_together(alice: Browser, one_too_deep: int) -> None:
    page = alice.get(f"/custom-domains/{one_too_deep}/")
    titles = [title.get_text() for title in page.html.select(".checks h3")]
    assert [title[:2] for title in titles] == ["1.", "2.", "3.", "4.", "5."]
    verdicts = [" ".join(one.get_text().split()) for one in page.html.select(".checks .verdict")]
    assert verdicts == ["Pass", "Wrong", "Pass", "Pass", "Not yet"]
    assert "3 of 5 pass." in page.words
    assert "No worker has answered yet" in page.words
    assert "The proof is one level too deep." in page.find("[aria-labelledby=timeline]").text


def test_the_fragment_is_the_page_and_says_when_to_ask_again(
    alice: Browser, one_too_deep: int, planes: Planes
) -> None:
    fragment = alice.get(f"/custom-domains/{one_too_deep}/status")
    assert not fragment.html.select("nav.side-nav")
    assert fragment.find("#status")["data-poll-after"] == "3000"
    with planes.worker.app_context():
        heartbeats.note("worker", utc_now())
        domain = db.session.get(LLMClientCustomDomain, one_too_deep)
        domain.next_attempt_at = utc_now() + timedelta(hours=3)
        db.session.commit()
    later = alice.get(f"/custom-domains/{one_too_deep}/status")
    assert not later.find("#status").has_attr("data-poll-url")
    assert "A worker answered" in later.words


def test_check_now_is_asked_for_once_in_ten_seconds(
    alice: Browser, one_too_deep: int, planes: Planes, domain_of: DomainOf
) -> None:
    path = f"/custom-domains/{one_too_deep}"
    page = alice.follow(alice.post(f"{path}/check"))
    assert "We are looking now" in page.words
    assert page.find("#status")["data-poll-after"] == "1000"
    assert domain_of(one_too_deep).next_attempt_at <= utc_now()
    again = alice.follow(alice.post(f"{path}/check", {"next": "/custom-domains/"}))
    assert "You can ask again in 10 s" in again.words
    assert again.find("h1").text == "Custom domains"
    assert actions(planes) == ["custom_domain_checked"]


def test_a_check_leads_nowhere_else(alice: Browser, one_too_deep: int) -> None:
    sent = alice.post(f"/custom-domains/{one_too_deep}/check", {"next": "//evil.example/"})
    assert sent.location == "/"


def test_a_paused_domain_is_resumed(
    alice: Browser, make_domain: MakeDomain, domain_of: DomainOf
) -> None:
    number = make_domain("paused.example", state=States.PAUSED, next_attempt_at=None)
    page = alice.get(f"/custom-domains/{number}/")
    assert "We have stopped looking at paused.example" in page.words
    assert not page.find("#status").has_attr("data-poll-url")
    alice.post(f"/custom-domains/{number}/resume")
    assert domain_of(number).state == States.PENDING
    assert "stopped looking" not in alice.get(f"/custom-domains/{number}/").words


def test_a_domain_at_risk_says_since_when(alice: Browser, make_domain: MakeDomain) -> None:
    since = utc_now() - timedelta(hours=9)
    number = make_domain(
        "risk.example", state=States.AT_RISK, is_verified=True, failing_since=since
    )
    words = alice.get(f"/custom-domains/{number}/").words
    assert "risk.example is at risk The checks have failed since 9 h ago" in words
    assert "Visitors are still answered while the certificate is valid." in words


def test_a_live_domain_shows_its_certificate(
    alice: Browser, make_client: MakeClient, make_domain: MakeDomain
) -> None:
    hashed_id = make_client("foyer")

    def describe(domain: LLMClientCustomDomain) -> None:
        llm_client, now = client_of(hashed_id), utc_now()
        host = some_domains.put_on(domain, llm_client)
        some_domains.all_pass(domain, host, now=now)
        some_domains.open_host(domain, llm_client, host, now)
        some_domains.refused_renewal(domain, host, now)

    number = make_domain("live.example", describe)
    page = alice.get(f"/custom-domains/{number}/")
    assert page.find(".head-title .state").get_text() == "Live"
    facts = " ".join(page.find(".rows .facts").get_text(" ").split())
    assert facts.startswith("Issuer Example CA R3 Serial 04:ab:19:7f:22:c0:51:9e Valid from")
    assert "Next renewal" in facts
    assert "The last request for a certificate was refused." in page.words
    assert "too many certificates already issued" in page.find(".domain-hosts details").text
    assert "5 of 5 pass." in page.words
    assert len(page.html.select(".setup > .state-ready")) == 4


def test_removing_names_what_stops_and_wants_the_name(
    alice: Browser, one_too_deep: int, domain_of: DomainOf, planes: Planes
) -> None:
    path = f"/custom-domains/{one_too_deep}/remove"
    assert (
        "patient_desk stops answering on lakeside-clinic.example at once" in alice.get(path).words
    )
    wrong = alice.post(path, {"confirm_name": "lakeside"}, expected=422)
    assert wrong.find("#confirm_name")["value"] == "lakeside"
    assert domain_of(one_too_deep).state == States.PENDING
    page = alice.follow(alice.post(path, {"confirm_name": " Lakeside-Clinic.example "}))
    assert "lakeside-clinic.example is removed." in page.words
    gone = domain_of(one_too_deep)
    assert gone is None or gone.state == States.REMOVING
    assert actions(planes) == ["custom_domain_removed"]


def test_members_look_and_check_admins_do_the_rest(people: People, one_too_deep: int) -> None:
    bob, vera = people.browser(people.bob), people.browser(people.vera)
    path = f"/custom-domains/{one_too_deep}"
    bob.post(f"{path}/check")
    for part in ("/remove", "/publishing", "/publishing/rfc2136", "/setup-link/revoke"):
        bob.get(path + part, 403)
    page = vera.get(f"{path}/")
    assert not page.html.select("main form[method=post]")
    assert "Send a set-up link" not in page.words
    vera.post(f"{path}/check", expected=403)
    people.browser(people.charlie).get(f"{path}/", 404)


def test_the_zone_file_is_a_text_to_save(alice: Browser, one_too_deep: int) -> None:
    answer = alice.get(f"/custom-domains/{one_too_deep}/zone-file").response
    assert answer.mimetype == "text/plain"
    named = answer.headers["Content-Disposition"]
    assert named == 'attachment; filename="lakeside-clinic.example.zone.txt"'
    text = answer.get_data(as_text=True)
    assert '_llm-verify.lakeside-clinic.example. 300 IN TXT "llm-verify=7f2c91d0a4be4c53"' in text
    assert "patient-desk.lakeside-clinic.example. 300 IN CNAME edge.api.example.com." in text


def test_fifty_domains_cost_no_more_queries_than_one(
    alice: Browser, planes: Planes, make_domain: MakeDomain, one_too_deep: int
) -> None:
    for number in range(52):
        make_domain(f"domain-{number}.example")
    with statements(planes) as asked:
        page = alice.get("/custom-domains/")
    assert len(page.html.select("tbody tr")) == 50
    assert len(asked) <= 8, asked
    older = alice.get(str(page.find("a[rel=next]")["href"]))
    assert [row.text for row in older.html.select("tbody a")][-1] == "lakeside-clinic.example"
    with statements(planes) as asked:
        alice.get(f"/custom-domains/{one_too_deep}/")
    assert len(asked) <= 8, chr(10).join(asked)


def test_a_certificate_that_runs_out_is_told_on_the_page_and_on_the_overview(
    alice: Browser, make_client: MakeClient, make_domain: MakeDomain, planes: Planes
) -> None:
    hashed_id = make_client("foyer")

    def describe(domain: LLMClientCustomDomain) -> None:
        llm_client, now = client_of(hashed_id), utc_now()
        host = some_domains.put_on(domain, llm_client)
        some_domains.all_pass(domain, host, now=now)
        some_domains.open_host(domain, llm_client, host, now)

    number = make_domain("live.example", describe)
    assert "Nothing needs attention" in alice.get("/").words
    with planes.worker.app_context():
        certificate = db.session.scalars(db.select(Certificate)).one()
        certificate.not_before = utc_now() - timedelta(days=84)
        certificate.not_after = utc_now() + timedelta(days=5, hours=12)
        db.session.commit()
    page = alice.get(f"/custom-domains/{number}/")
    banner = page.find("#banner .notice").text
    assert "The certificate of foyer.live.example expires in 6 days" in banner
    told = alice.get("/").find("[aria-labelledby=attention] .rows")
    assert "The certificate of foyer.live.example expires in 6 days." in told.text
    assert told.select_one("a")["href"] == f"/llm-clients/{hashed_id}/"


def test_the_overview_names_domains_whose_owner_has_to_act(
    alice: Browser, one_too_deep: int, make_domain: MakeDomain
) -> None:
    make_domain("fresh.example")
    told = alice.get("/").find("[aria-labelledby=attention]")
    assert [link["href"] for link in told.select("a")] == [f"/custom-domains/{one_too_deep}/"]
    assert "The record is one level too deep. The customer acts." in " ".join(told.text.split())


def test_a_domain_that_is_going_can_only_be_read(alice: Browser, make_domain: MakeDomain) -> None:
    number = make_domain("going.example", state=States.REMOVING)
    page = alice.get(f"/custom-domains/{number}/")
    assert "Being removed" in page.find(".head-title").text
    assert not page.html.select("main form")
    assert "Send a set-up link" not in page.words
    assert "Attach a client" not in page.words
