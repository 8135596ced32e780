"""Every page as it is seen: in light and dark, wide and narrow, by axe and by the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.accounts import signing_in
from portal.accounts.mails import Mail
from portal.accounts.models import Account, User, UserSession
from portal.audit_log.models import AuditCheck
from portal.database import db, utc_now
from portal.domain_setup import links
from portal.history_exports.models import RequestExport
from portal.history_pages.models import SavedView
from portal.limits.budgets import DAY, starts_on
from portal.limits.models import BudgetUse, Limits
from portal.llm_clients.models import (
    LLMClient,
    LLMClientAPIKey,
    LLMClientHost,
    LLMClientPlugin,
)
from portal.notices import webhooks
from portal.notices.kinds import FOR_WEBHOOKS, Level
from portal.notices.telling import News, tell
from portal.notices.webhook_models import WebhookDelivery
from portal.people import personal_tokens, second_factors
from portal.people.models import Passkey
from portal.plugins.models import Plugin, PluginTest
from portal.providers import finding
from portal.providers.models import Provider
from portal.request_history import current_recorder
from portal.request_history.numbering import first_of
from portal.request_history.storing import Visit
from portal.vault import named
from portal.vault.models import AuthToken
from tests.browser.conftest import NARROW, WIDE, Axe, OpenBrowser, too_wide
from tests.domain_setup.some_domains import (
    a_domain,
    all_pass,
    one_level_too_deep,
    open_host,
    put_on,
)
from tests.people import PASSWORD, MakeClient, People
from tests.planes import Planes

# How a page looks does not depend on the database's engine.
pytestmark = pytest.mark.engine_independent

# Paths with what the fixture below makes; the last part of the name says who looks.
PAGES = {
    "overview": "/",
    "overview of an hour": "/?range=1h",
    "overview of a quarter": "/?range=90d",
    "overview of its own time": "/?range=custom&from=yesterday",
    "overview of nothing": "/?from=2020-01-01&to=2020-01-02",
    "clients": "/llm-clients/",
    "clients, none matches": "/llm-clients/?q=zebra",
    "new client": "/llm-clients/new",
    "client": "{client}",
    "client under way": "{running}",
    "edit": "{client}edit",
    "clone": "{client}clone",
    "delete": "{client}delete",
    "deploy": "{client}deploy",
    "undeploy": "{open}undeploy",
    "usage of a client": "{open}usage",
    "usage of a client that nobody asked": "{client}usage",
    "revisions": "{client}revisions",
    "revision": "{client}revisions/1",
    "plugins of a client": "{client}plugins",
    "plugins of another client": "{open}plugins",
    "keys of a client": "{client}keys",
    "keys of a public client": "{open}keys",
    "detach a key": "{client}keys/{key}/detach",
    "embed": "{client}embed",
    "certificates": "{client}certificates",
    "embed an open client": "{open}embed",
    "limits of a client": "{client}limits",
    "limits of a public client": "{open}limits",
    "change the limits of a client": "{client}limits/edit",
    "sandbox": "/workbench{client}",
    "domain of a client": "{client}domain",
    "domain of an open client": "{open}domain",
    "detach a domain": "{client}domain/detach",
    "domains": "/custom-domains/",
    "new domain": "/custom-domains/new",
    "domain": "{domain}",
    "live domain": "{live_domain}",
    "fresh domain": "{fresh_domain}",
    "attach a client": "{live_domain}clients/attach",
    "who publishes": "{domain}publishing",
    "zone editor": "{domain}publishing/rfc2136",
    "by hand": "{domain}publishing/manual",
    "mail the set-up link": "{domain}setup-link/mail",
    "revoke the set-up links": "{domain}setup-link/revoke",
    "remove a domain": "{domain}remove",
    "set-up link": "{setup_link}",
    "requests": "/requests/",
    "requests, filtered and live": "/requests/?range=1h&mode=sandbox&live=1&columns=host,model",
    "no such requests": "/requests/?q=zebra&slower=x",
    "request": "{request}",
    "compare requests": "{request}/diff",
    "saved views": "/requests/views",
    "sessions of visitors": "/sessions/",
    "session": "/sessions/{session}",
    "exports": "/requests/exports/",
    "what is kept": "/requests/keeping/",
    "change what is kept": "/requests/keeping/edit",
    "erase a client": "/requests/keeping/erase/client/{opened}",
    "erase a session": "/requests/keeping/erase/session/{session}",
    "erase a visitor": "/requests/keeping/erase/visitor/{session}",
    "plugins": "/plugins/",
    "new plugin": "/plugins/new",
    "new plugin of data": "/plugins/new/static",
    "new plugin of an interface": "/plugins/new/api",
    "new plugin of a database": "/plugins/new/sql",
    "edit plugin": "{plugin}",
    "delete plugin": "{plugin}delete",
    "providers": "/providers/",
    "choose a vendor": "/providers/new",
    "new provider": "/providers/new?vendor=openai",
    "provider": "{provider}",
    "usage of a provider": "{provider}usage",
    "usage of the demo": "{demo}usage",
    "edit provider": "{provider}edit",
    "delete provider": "{provider}delete",
    "keys": "/api-keys/",
    "new key": "/api-keys/new",
    "key": "/api-keys/{key}/",
    "edit key": "/api-keys/{key}/edit",
    "rotate key": "/api-keys/{key}/rotate",
    "revoke key": "/api-keys/{key}/revoke",
    "limits of a key": "/api-keys/{key}/limits",
    "secrets": "/secrets/",
    "new secret": "/secrets/new",
    "replace secret": "/secrets/{secret}/",
    "delete secret": "/secrets/{secret}/delete",
    "limits": "/limits/",
    "limits of the account": "/limits/account",
    "manifests": "/manifests/",
    "manifest of a client": "{client}manifest/",
    "api": "/api/",
    "api tokens": "/account/tokens",
    "revoke an api token": "{personal_token}revoke",
    "notifications": "/notifications/",
    "what is new": "/notifications/?show=new",
    "mails": "/notifications/mails",
    "webhooks": "/notifications/webhooks/",
    "new webhook": "/notifications/webhooks/new",
    "webhook": "{webhook}",
    "edit a webhook": "{webhook}edit",
    "rotate a webhook": "{webhook}rotate",
    "delete a webhook": "{webhook}delete",
    "sessions": "/account/sessions",
    "end a session": "/account/sessions/{another_browser}/revoke",
    "end every session": "/account/sessions/revoke-all",
    "sign-ins": "/account/sessions/sign-ins",
    "profile": "/account/",
    "password": "/account/password",
    "mail address": "/account/mail",
    "how one is told": "/account/notifications",
    "second factor": "/account/second-factor",
    "enrolment": "/account/second-factor/enrol",
    "passkeys": "/account/passkeys",
    "remove a passkey": "{passkey}remove",
    "account settings": "/settings/",
    "audit log": "/audit/",
    "audit log, filtered": "/audit/?object=LLMClient&range=30d",
    "audit log, nothing": "/audit/?action=nothing&person=x&range=custom&from=2020-01-01",
    "people": "/users/",
    "role of a person": "{person}",
    "sign somebody out": "{person}sign-out",
    "remove a person": "{person}remove",
    "disable a person": "{person}disable",
    "invite": "/users/invite",
    "accounts": "/accounts/",
    "new account": "/accounts/new",
    "system": "/system/",
    "not found": "/llm-clients/999/",
    "chat": "{chat}",
    "closed chat": "{closed}",
}


# Parts of pages, and what is seen by nobody who is signed in.
NO_PAGES = {
    "static",
    "llm_clients.status",
    "plugins.status",
    "history_exports.status",
    "history_exports.download",
    "providers.status",
    "providers.show_status",
    "llm_clients.hostname_preview",
    "llm_clients.image",
    "llm_clients.domain_status",
    "custom_domains.status",
    "custom_domains.editor_status",
    "custom_domains.name_preview",
    "custom_domains.zone_file",
    "domain_setup.status",
    "domain_setup.zone_file",
    "domain_setup.logo",
    "accounts.login",
    "manifests.export_account",
    "workbench.manifest",
    "history_keeping.erasures",
    "request_history.tail_part",
    "request_history.drawer",
    "request_history.raw",
    "accounts.invitation",
    "accounts.code",
    "accounts.own_sign_on",
    "accounts.sign_on_there",
    "accounts.sign_on_back",
    "accounts.new_passkey",
    "accounts.follow_invitation",
    "accounts.follow_password_link",
    "accounts.reset_password",
    "accounts.forgot_password",
    "accounts.follow_mail_link",
    "accounts.confirm_mail",
    "audit_log.platform",
}


@pytest.fixture
def addresses(planes: Planes, people: People, make_client: MakeClient) -> dict[str, str]:
    """A draft with a long name, one that is being deployed, one that is open, and a request."""
    long_name = "the_guide_through_the_museum_of_natural_history_and_everything_else"
    draft = make_client(long_name, description="For the foyer. " * 12)
    running, opened = make_client("running"), make_client("opened", app_example_prompts=["Hi?"])
    people.browser(people.alice).post(f"/llm-clients/{running}/deploy", {"confirm": "yes"})
    people.browser().post("/login", {"username": "alice", "password": "wrong"}, 401)
    people.browser().post("/login", {"username": "alice", "password": PASSWORD})
    with planes.worker.app_context():
        llm_client = db.session.scalars(
            db.select(LLMClient).where(LLMClient.hashed_id == opened)
        ).one()
        llm_client.published_revision, llm_client.deployed = llm_client.revisions[0], True
        llm_client.dns_verification_status = LLMClient.DnsVerificationStatusChoices.VERIFIED
        issued = LLMClient.TlsCertificateIssuanceStatusChoices.ISSUED
        llm_client.tls_certificate_issuance_status = issued
        hosts = {host.llm_client_id: host for host in db.session.scalars(db.select(LLMClientHost))}
        hosts[llm_client.id].is_open = True
        provider = Provider(
            account_id=people.alice.account_id, name="own", base_url="http://127.0.0.1:9/v1"
        )
        key = a_key_that_replaces_another(people.alice.account_id, long_name)
        drafted = db.session.scalars(db.select(LLMClient).filter_by(hashed_id=draft)).one()
        plugin = a_tested_plugin(people.alice.account_id)
        attached = LLMClientPlugin(llm_client=drafted, plugin=plugin)
        db.session.add_all([provider, LLMClientAPIKey(llm_client=drafted, api_key=key), attached])
        db.session.add_all(some_budgets(people.alice.account_id, drafted.id, key.id))
        db.session.add_all(some_exports(people.alice.account_id, people.alice.user_id))
        db.session.add(an_altered_log(people.alice.account_id))
        alice = db.session.get_one(User, people.alice.user_id)
        alice.is_superuser = True
        second_factors.begin(alice)
        passkey = a_passkey(alice)
        webhook_id = some_notices(people.alice.account_id)
        profile, ends_at = alice.profiles[0], utc_now() + DAY_LONG
        token = personal_tokens.make(profile, "nightly", True, ends_at, utc_now()).row
        signing_in.open_session(alice, "2001:db8::7", "Mozilla/5.0 Firefox/140", utc_now())
        another = newest_session_of(alice.id)
        domains = some_domains(people, drafted, llm_client, planes.settings.secret_key)
        secret = named.make(people.alice.account_id, "museum-openai.2026", "sk-0123456789-abcd")
        finding.set_key(provider, "secret:museum-openai.2026")
        db.session.commit()
        row = {
            "llm_client_id": llm_client.id,
            "account_id": people.alice.account_id,
            "llm_client_name": "opened",
            "created_at": utc_now(),
            "request_id": "r1",
            "request": {"message": "Where is the café? " * 20},
            "question_preview": "Where is the café? " * 10,
            "response": {"text": "Im Foyer.", "tools_called": A_CALL, "attempts": AN_ATTEMPT},
            "status": 200,
            "cost_micros": 4_200,
            "price_version": "2026-11-01",
            "provider": "demo",
            "model": "a-model-with-a-name-that-goes-on-and-on-until-nobody-reads-it",
            "mode": "custom",
            "latency_ms": 4_200,
            "first_token_ms": 420,
            "tokens_in": 12_345,
            "tokens_out": 678,
        }
        row["session_key"] = "a" * 64
        current_recorder().record(row, Visit("a" * 64, "v" * 64))
        view = SavedView(name=long_name, query={"status": "failed"}, is_shared=True)
        view.account_id, view.user_profile_id = people.alice.account_id, people.alice.profile_id
        db.session.add(view)
        db.session.commit()
        failed = {**row, "request_id": "r0", "status": 502, "error_code": "timeout"}
        current_recorder().record(failed, None)
        current_recorder().record(row, Visit("a" * 64))
        newest = db.text("SELECT max(id) FROM llm_client_requests")
        number = db.session.execute(newest).scalar_one()
        others = [host for key, host in hosts.items() if key != llm_client.id]
        return {
            "client": f"/llm-clients/{draft}/",
            "running": f"/llm-clients/{running}/",
            "open": f"/llm-clients/{opened}/",
            "opened": opened,
            "provider": f"/providers/{provider.id}/",
            "demo": f"/providers/{the_demo(people.alice.account_id)}/",
            "plugin": f"/plugins/{plugin.id}/",
            "key": str(key.id),
            "passkey": f"/account/passkeys/{passkey.id}/",
            "secret": str(secret.id),
            "personal_token": f"/account/tokens/{token.id}/",
            "another_browser": str(another),
            "person": f"/users/{people.bob.profile_id}/",
            "webhook": f"/notifications/webhooks/{webhook_id}/",
            "request": f"/requests/{number}",
            "session": "a" * 64,
            "chat": planes.settings.url_of(hosts[llm_client.id].hostname) + "/",
            "closed": planes.settings.url_of(others[0].hostname) + "/",
            **domains,
        }


def newest_session_of(user_id: int) -> int:
    """The number of the newest session."""
    query = db.select(db.func.max(UserSession.id)).where(UserSession.user_id == user_id)
    return int(db.session.scalar(query) or 0)


def an_altered_log(account_id: int) -> AuditCheck:
    """What the portal saw of a log that somebody changed by hand."""
    now = utc_now()
    check = AuditCheck(number=account_id, account_id=account_id, problem_at=now, seen_at=now)
    check.problem = "Event 2 (number 2, changed, 2026-11-30 12:00:00 UTC) was altered."
    return check


A_CALL = [
    {
        "name": "calculator",
        "source": "function",
        "is_error": True,
        "milliseconds": 3,
        "arguments": '{"expression": "1 + 1"}',
        "result": "A parenthesis is not closed. " * 9,
    }
]
AN_ATTEMPT = [{"provider": "own", "model": "large", "detail": "silent", "milliseconds": 30_000}]


def some_budgets(account_id: int, client_id: int, key_id: int) -> list[Limits | BudgetUse]:
    """Of the account, of a client (nearly used, some of it reserved) and of a key (used up)."""
    limits = {"account_id": account_id, "day_tokens": 1_000, "month_micros": 25_000_000}
    today = {"account_id": account_id, "period": "day", "starts_on": starts_today(account_id)}
    return [
        Limits(kind="account", subject_id=account_id, **limits),
        Limits(kind="client", subject_id=client_id, reached_words="Closed. " * 30, **limits),
        Limits(kind="key", subject_id=key_id, **limits),
        BudgetUse(kind="client", subject_id=client_id, tokens=850, reserved_tokens=90, **today),
        BudgetUse(kind="key", subject_id=key_id, tokens=1_200, level=100, **today),
    ]


def some_exports(account_id: int, user_id: int) -> list[RequestExport]:
    """One of each state, one that waits, and one whose file is not there."""
    now = utc_now()
    words = "There is no room for the file on the portal’s disk. It is tried again."
    told: list[tuple[str, dict[str, Any]]] = [
        ("writing", {"expected_rows": 1_000_000, "rows_written": 420_000}),
        ("writing", {"message": words}),
        ("ready", {"rows_written": 12, "bytes_written": 48_200, "expires_at": now + DAY_LONG}),
        *((state, {"message": words}) for state in ("failed", "withdrawn")),
        *((state, {}) for state in ("cancelled", "expired")),
    ]
    return [
        RequestExport(
            account_id=account_id,
            user_id=user_id,
            format=RequestExport.Formats.CSV,
            state=RequestExport.States(state),
            label="LLM client the_guide_through_the_museum_of_natural_history, search café " * 3,
            starts_at=now - 7 * DAY_LONG,
            ends_at=now,
            cursor=first_of(now - DAY_LONG),
            file_name=f"{number:032x}.csv",
            **columns,
        )
        for number, (state, columns) in enumerate(told)
    ]


def some_notices(account_id: int) -> int:
    """One of each level, and a webhook with a message in each state; its number."""
    name = "https://example.com/a-path-that-nobody-would-type/" + "x" * 60
    kinds = [kind.value for kind in FOR_WEBHOOKS]
    webhook, _ = webhooks.make(account_id, "The chat room of the whole agency", name, kinds)
    webhooks.set_authorization(webhook, "Bearer of-the-chat-room")
    webhook.failing_since, webhook.failures = utc_now(), 3
    for kind, level in zip(FOR_WEBHOOKS, list(Level) * 2, strict=False):
        news = News(kind, level, "What happened to the guide " * 4, "Why it did.\n" * 3, "/")
        tell(account_id, news, utc_now())
    first, second, *_ = db.session.scalars(db.select(WebhookDelivery))
    first.delivered_at, first.status, first.answer, first.milliseconds = utc_now(), 200, "ok", 40
    second.next_attempt_at, second.attempt, second.message = None, 9, "It answered with 500."
    for mail in list(db.session.scalars(db.select(Mail)))[:1]:
        mail.attempt, mail.message = 7, "The mail server refused the address."
    return webhook.id


DAY_LONG = timedelta(days=1)


def starts_today(account_id: int) -> str:
    """The present day on the account's wall."""
    return starts_on(DAY, utc_now(), db.session.get_one(Account, account_id).timezone)


def some_domains(
    people: People, draft: LLMClient, opened: LLMClient, secret_key: str
) -> dict[str, str]:
    """A domain with a mistake, one that is live, one that nobody looked at; and a set-up link."""
    now, account_id = utc_now(), people.alice.account_id
    wrong = a_domain(account_id, "the-lakeside-clinic-of-natural-healing.example", now)
    one_level_too_deep(wrong, put_on(wrong, draft), now)
    live = a_domain(account_id, "xn--bcherwelt-q9a.example", now)
    host = put_on(live, opened)
    all_pass(live, host, "other.xn--bcherwelt-q9a.example", now=now)
    open_host(live, opened, host, now)
    fresh = a_domain(account_id, "new.example", now)
    token = links.token_of(wrong, links.expiry(now), secret_key)
    return {
        "domain": f"/custom-domains/{wrong.id}/",
        "live_domain": f"/custom-domains/{live.id}/",
        "fresh_domain": f"/custom-domains/{fresh.id}/",
        "setup_link": f"/domain-setup/{token}/",
    }


def the_demo(account_id: int) -> int:
    """The number of the provider that every account begins with."""
    return db.session.scalars(
        db.select(Provider.id).filter_by(account_id=account_id, name="demo")
    ).one()


def a_key_that_replaces_another(account_id: int, name: str) -> AuthToken:
    """A key with a long name, and the one that it was rotated from."""
    old, key = (
        AuthToken(account_id=account_id, prefix=f"portal_{letter * 12}", name=name, secret_hash="h")
        for letter in "ab"
    )
    db.session.add(key)
    db.session.flush()
    old.replaced_by_id, old.expires_at = key.id, utc_now() + timedelta(hours=5)
    db.session.add(old)
    return key


def a_passkey(user: User) -> Passkey:
    """One that no device has."""
    row = Passkey(
        user_id=user.id,
        name="The telephone with the cracked glass",
        credential_hash="h" * 64,
        credential_id="AAAA",
        public_key="AAAA",
        user_handle="AAAA",
        last_used_at=utc_now(),
    )
    db.session.add(row)
    return row


def a_tested_plugin(account_id: int) -> Plugin:
    """An interface with a parameter, a stored secret and a long result of its test."""
    parameters = [{"name": "id", "type": "string", "required": True, "where": "path"}]
    plugin = Plugin(
        account_id=account_id,
        name="Prices of the museum shop and everything else that is sold there",
        description="What things cost. " * 12,
        kind=Plugin.Kinds.API,
        sealed_secret="sealed",
        content={"method": "GET", "url": "https://example.com/{id}", "parameters": parameters},
    )
    test = PluginTest(plugin=plugin, state="works", result='{"price":12}' * 90, tested_at=utc_now())
    db.session.add_all([plugin, test])
    return plugin


def test_no_page_is_left_out(planes: Planes, addresses: dict[str, str]) -> None:
    urls = planes.admin.url_map.bind("localhost")
    seen = set()
    for path in PAGES.values():
        if path.startswith(("/", "{")) and path not in ("{chat}", "{closed}"):
            seen.add(urls.match(path.format(**addresses).partition("?")[0])[0])
    every = {
        rule.endpoint for rule in planes.admin.url_map.iter_rules() if "GET" in (rule.methods or ())
    }
    assert every - NO_PAGES == seen


def faults_of_look(page: Page, axe: Axe, name: str) -> list[str]:
    """Light and wide, light and narrow, and the colours of dark."""
    found = [f"{name}, light: {fault}" for fault in axe.violations()]
    page.set_viewport_size(NARROW)
    found += [f"{name}, 360 px: {fault}" for fault in axe.violations()]
    found += [f"{name}, 360 px: scrolls sideways for {part}" for part in too_wide(page)]
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="dark")
    found += [f"{name}, dark: {fault}" for fault in axe.violations("color-contrast")]
    page.emulate_media(color_scheme="light")
    return found


def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    page: Page, addresses: dict[str, str], axe_source: str
) -> None:
    page.emulate_media(color_scheme="light")
    axe, found = Axe(page, axe_source), []
    for name, path in PAGES.items():
        page.goto(path.format(**addresses))
        found += faults_of_look(page, axe, name)
    assert not found, "\n".join(found)


def test_pages_before_the_first_client_and_before_signing_in(
    open_browser: OpenBrowser, people: People, axe_source: str
) -> None:
    found = []
    for who, paths in (
        (None, ["/login"]),
        (
            people.alice,
            ["/", "/llm-clients/", "/custom-domains/", "/requests/", "/requests/exports/"],
        ),
        (None, ["/login", "/forgot-password", "/invitation"]),
        (people.alice, ["/", "/llm-clients/", "/custom-domains/", "/requests/"]),
    ):
        page = open_browser(who, color_scheme="light").new_page()
        axe = Axe(page, axe_source)
        for path in paths:
            page.goto(path)
            found += faults_of_look(page, axe, path)
    assert not found, "\n".join(found)


def test_a_form_with_mistakes_is_as_good_as_any_page(
    page: Page, addresses: dict[str, str], axe_source: str
) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/llm-clients/new")
    page.get_by_label("Name", exact=True).fill("1st")
    page.get_by_label("Temperature").fill("9")
    page.get_by_role("button", name="Save as revision 1").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    assert outline_of(page) != "none", "the focus is seen"
    assert faults_of_look(page, Axe(page, axe_source), "mistakes") == []
    summary.get_by_role("link", name="Temperature").click()
    expect(page.get_by_label("Temperature")).to_be_focused()


def outline_of(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.activeElement).outlineStyle"))


def test_the_keyboard_searches_goes_and_explains_itself(
    page: Page, addresses: dict[str, str]
) -> None:
    page.goto("/")
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("g?")
    expect(page.locator("[data-search]")).to_have_value("g?")
    page.locator("main").click(position={"x": 2, "y": 2})
    for letter, path in (("c", "/llm-clients/"), ("r", "/requests/"), ("p", "/providers/")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_url("**" + path)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_rows_are_walked_with_j_and_k(page: Page, addresses: dict[str, str]) -> None:
    page.goto("/llm-clients/")
    links = page.locator("[data-rows] .name > a")
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/llm-clients/*/")


def test_the_first_tab_skips_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_everything_that_has_the_focus_shows_it(page: Page, addresses: dict[str, str]) -> None:
    page.goto(addresses["client"])
    unseen: list[str] = []
    for _ in range(30):
        page.keyboard.press("Tab")
        is_page = page.evaluate("document.activeElement === document.body")
        if not is_page and outline_of(page) == "none":
            unseen.append(str(page.evaluate("document.activeElement.outerHTML.slice(0, 120)")))
    assert unseen == []


def test_on_a_telephone_the_present_tab_and_the_menus_of_rows_are_within_reach(
    page: Page, addresses: dict[str, str]
) -> None:
    page.set_viewport_size(NARROW)
    page.goto(addresses["client"] + "limits")
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)
    for path in ("/llm-clients/", "/api-keys/"):
        page.goto(path)
        menu = page.locator(".row-menu summary").last
        menu.click()
        expect(page.locator(".row-menu details[open]")).to_have_count(1)


def test_a_message_after_a_post_has_the_focus(page: Page, addresses: dict[str, str]) -> None:
    page.goto(addresses["client"] + "edit")
    page.get_by_label("Title", exact=True).fill("Changed")
    page.get_by_role("button", name="Save as revision 2").click()
    expect(page.get_by_text("Saved as revision 2.")).to_be_visible()
    expect(page.locator("[data-focus]")).to_be_focused()


def test_the_theme_is_switched_at_once_and_kept(page: Page) -> None:
    page.goto("/account/sessions")
    ground: Callable[[], str] = lambda: str(  # noqa: E731
        page.evaluate("getComputedStyle(document.body).backgroundColor")
    )
    page.locator("summary.person").click()
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Light").click()
    light = ground()
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Dark").click()
    dark = ground()
    assert dark != light
    page.reload()
    assert ground() == dark


def test_what_is_copied_says_so(page: Page, addresses: dict[str, str]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(addresses["client"])
    button = page.get_by_role("button", name="Copy the_guide").or_(
        page.locator("section[aria-labelledby=addresses] [data-copy]")
    )
    host = page.locator("section[aria-labelledby=addresses] code").first.text_content()
    button.first.click()
    expect(button.first).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == host


def test_a_new_key_is_seen_and_copied_once(page: Page, axe_source: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.emulate_media(color_scheme="light")
    page.goto("/api-keys/")
    page.get_by_role("main").get_by_role("link", name="New API key").click()
    page.get_by_label("Name").fill("The website")
    page.get_by_role("button", name="Create the key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Copy the key The website")
    text = page.locator("pre.code").inner_text()
    assert faults_of_look(page, Axe(page, axe_source), "created key") == []
    page.get_by_role("button", name="Copy the key").click()
    expect(page.get_by_role("button", name="Copy the key")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == text
    page.get_by_role("link", name="I have copied it").click()
    assert text not in page.content()
