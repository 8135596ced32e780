"""All routes of all planes: closed until somebody decides, deaf to strangers, never by GET."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal.accounts.mails import Mail
from portal.accounts.models import Role
from portal.database import db, utc_now
from portal.domain_setup import links
from portal.history_exports.models import RequestExport
from portal.history_pages.models import SavedView
from portal.llm_clients.models import LLMClient, LLMClientAPIKey
from portal.notices import webhooks
from portal.notices.kinds import Kind, Level
from portal.notices.telling import News, tell
from portal.people.models import Invitation
from portal.plugins.models import Plugin
from portal.providers.models import Provider
from portal.request_history import current_recorder
from portal.request_history.storing import Visit
from portal.vault import named
from portal.vault.models import AuthToken
from portal.web import ANYBODY, SUPERUSER, permission_of
from tests.domain_setup.some_domains import a_domain
from tests.people import MakeClient, People
from tests.planes import Planes

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
# What a newcomer may reach without an account.
OPEN_TO_ANYBODY = {"accounts.login", "accounts.sign_in"}
# Ways in by a link that was sent by mail; without its secret they say that it is gone.
BY_MAIL = {"accounts.follow_invitation", "accounts.invitation", "accounts.forgot_password"}
BY_MAIL |= {"accounts.follow_password_link", "accounts.reset_password"}
BY_MAIL |= {"accounts.passkey_options", "accounts.sign_in_with_passkey"}
BY_MAIL |= {"accounts.sign_on_there", "accounts.sign_on_back"}
BY_MAIL |= {"accounts.code"}  # the second step, for whoever had the right password
BY_MAIL |= {"accounts.follow_mail_link", "accounts.confirm_mail"}
# What a person has read is their own, whatever their role.
OWN_READING = {"notifications.see", "notifications.see_all"}
# A set-up link: who has the address may open it, with no account and no cookie.
BY_LINK = {f"domain_setup.{name}" for name in ("show", "status", "check", "zone_file", "logo")}


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def test_every_route_declares_who_may_use_it(planes: Planes) -> None:
    for app in (planes.admin, planes.serving, planes.internal, planes.api):
        for rule in rules(app):
            assert permission_of(app, rule.endpoint), f"{rule} declares nothing"


def test_only_sign_in_and_set_up_links_are_open_to_anybody(planes: Planes) -> None:
    found = {
        rule.endpoint
        for rule in rules(planes.admin)
        if permission_of(planes.admin, rule.endpoint).least == ANYBODY  # type: ignore[union-attr]
    }
    assert found == OPEN_TO_ANYBODY | BY_LINK | BY_MAIL


def test_every_parameter_of_a_route_has_a_type(planes: Planes) -> None:
    for app in (planes.admin, planes.serving, planes.internal, planes.api):
        for rule in rules(app):
            for name, converter in rule._converters.items():
                assert type(converter).__name__ != "UnicodeConverter", f"{rule}: {name}"


def test_the_planes_share_no_route(planes: Planes) -> None:
    admin = {rule.endpoint for rule in rules(planes.admin)}
    serving = {rule.endpoint for rule in rules(planes.serving)}
    internal = {rule.endpoint for rule in rules(planes.internal)}
    api = {rule.endpoint for rule in rules(planes.api)}
    assert not api & (admin | serving | internal)
    assert not admin & serving
    assert not admin & internal
    assert not serving & internal


# Of what is nowhere; the words are those that a route knows.
ABSENT: dict[str, Any] = {
    "llm_client_id": "z" * 20,
    **dict.fromkeys(("request_id", "provider_id", "api_key_id", "plugin_id"), 999_999),
    **dict.fromkeys(("custom_domain_id", "export_id", "view_id", "secret_id"), 999_999),
    **dict.fromkeys(("profile_id", "invitation_id", "entered_id", "passkey_id"), 999_999),
    **dict.fromkeys(("notice_id", "mail_id", "webhook_id", "delivery_id"), 999_999),
    "personal_token_id": 999_999,
    "token": "a" * 40,
    "link_token": "x" * 43,
    "session_key": "b" * 64,
    "digest": "b" * 64,
    "session_id": 999_999,
    "number": 1,
    "zone_editor": "rfc2136",
    "kind": "static",
    "part": "request",
}


class Things:
    """One of everything in Birkenhof, and how to fill a route's parameters with it."""

    def __init__(self, **known: Any) -> None:
        self.values = {**ABSENT, "digest": "a" * 64, "session_id": 1, **known}

    def path(self, app: Flask, rule: Rule) -> str:
        adapter = app.url_map.bind("localhost")
        return adapter.build(rule.endpoint, {n: self.values[n] for n in rule.arguments})


@pytest.fixture
def things(planes: Planes, people: People, make_client: MakeClient) -> Things:
    hashed_id = make_client("secret_client")
    with planes.worker.app_context():
        llm_client = db.session.scalars(
            db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
        ).one()
        provider = Provider(
            account_id=people.alice.account_id, name="own", base_url="http://127.0.0.1:9/v1"
        )
        key = AuthToken(
            account_id=people.alice.account_id,
            prefix="portal_secret_client",
            secret_hash="h" * 64,
            name="secret_client",
        )
        plugin = Plugin(
            account_id=people.alice.account_id, name="secret_client", kind=Plugin.Kinds.STATIC
        )
        db.session.add_all([provider, LLMClientAPIKey(llm_client=llm_client, api_key=key)])
        view = SavedView(
            account_id=people.alice.account_id,
            user_profile_id=people.alice.profile_id,
            name="secret_client",
            is_shared=True,
        )
        invitation = Invitation(
            account_id=people.alice.account_id,
            email="secret_client@example.com",
            role=Role.VIEWER,
            token_hash="h" * 64,
            expires_at=utc_now() + timedelta(hours=1),
        )
        db.session.add_all([plugin, view, invitation])
        db.session.commit()
        row = {
            "llm_client_id": llm_client.id,
            "account_id": people.alice.account_id,
            "created_at": utc_now(),
            "request_id": "r1",
            "request": {"message": "hidden words"},
            "status": 200,
        }
        current_recorder().record(row, Visit("a" * 64, "v" * 64))
        number = db.session.execute(db.text("SELECT id FROM llm_client_requests")).scalar_one()
        domain = a_domain(people.alice.account_id, "secret-client.example", utc_now())
        export = RequestExport(
            account_id=people.alice.account_id,
            format=RequestExport.Formats.CSV,
            label="secret_client",
            starts_at=utc_now(),
            ends_at=utc_now(),
            cursor=1,
            file_name=f"{'a' * 32}.csv",
        )
        db.session.add(export)
        db.session.commit()
        secret = named.make(people.alice.account_id, "secret_client", "a value")
        db.session.commit()
        expires_at = links.expiry(utc_now())
        token = links.token_of(domain, expires_at, planes.settings.secret_key)
        return Things(
            llm_client_id=hashed_id,
            request_id=int(number),
            provider_id=provider.id,
            api_key_id=key.id,
            plugin_id=plugin.id,
            custom_domain_id=domain.id,
            export_id=export.id,
            secret_id=secret.id,
            token=token,
            view_id=view.id,
            session_key="a" * 64,
            profile_id=people.bob.profile_id,
            invitation_id=invitation.id,
            **told_of(people),
        )


def told_of(people: People) -> dict[str, int]:
    """A notice of Birkenhof, the mail that came of it, and a webhook."""
    url, kinds = "https://example.com/secret_client", [Kind.DOMAIN_LOST.value]
    webhook, _ = webhooks.make(people.alice.account_id, "secret_client", url, kinds)
    news = News(
        kind=Kind.DEPLOYMENT_DONE,
        level=Level.GOOD,
        subject="secret_client is ready",
        text="It answers.",
        path="/",
        concerned=(people.alice.user_id,),
    )
    notice = tell(people.alice.account_id, news, utc_now())
    db.session.commit()
    assert notice is not None
    mail_id = db.session.scalars(db.select(Mail.id)).one()
    return {"notice_id": notice.id, "mail_id": mail_id, "webhook_id": webhook.id}


def _owned(app: Flask) -> list[Rule]:
    return [
        rule
        for rule in rules(app)
        if rule.arguments
        & {
            *("llm_client_id", "request_id", "provider_id", "api_key_id", "plugin_id"),
            *("custom_domain_id", "view_id", "session_key", "export_id", "secret_id"),
            *("profile_id", "invitation_id", "notice_id", "mail_id", "webhook_id"),
        }
        and permission_of(app, rule.endpoint).least != SUPERUSER  # type: ignore[union-attr]
    ]


def test_a_stranger_gets_404_for_everything_of_another_account(
    planes: Planes, people: People, things: Things
) -> None:
    stranger = people.browser(people.charlie)
    token = stranger.token()
    checked = 0
    for rule in _owned(planes.admin):
        path = things.path(planes.admin, rule)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            answer = stranger.raw(method, path, data={"csrf_token": token, "message": "x"})
            assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
            assert b"secret_client" not in answer.data
            checked += 1
    assert checked > 20


def test_foreign_and_absent_objects_look_the_same(
    planes: Planes, people: People, things: Things
) -> None:
    stranger = people.browser(people.charlie)
    absent = Things(**ABSENT)
    for rule in _owned(planes.admin):
        if "GET" not in (rule.methods or set()):
            continue
        foreign = stranger.get(things.path(planes.admin, rule), 404)
        missing = stranger.get(absent.path(planes.admin, rule), 404)
        assert _without_reference(foreign.words) == _without_reference(missing.words)


def _without_reference(words: str) -> str:
    return words.partition("Name this reference")[0]


def test_nobody_gets_in_without_signing_in(planes: Planes, people: People, things: Things) -> None:
    nobody = people.browser()
    for rule in rules(planes.admin):
        if rule.endpoint in OPEN_TO_ANYBODY | BY_LINK | BY_MAIL:
            continue
        path = things.path(planes.admin, rule)
        if "GET" in (rule.methods or set()):
            answer = nobody.raw("GET", path)
            assert answer.status_code == 303, path
            assert "/login?next=" in answer.headers["Location"]


def test_every_post_wants_a_token(planes: Planes, people: People, things: Things) -> None:
    alice = people.browser(people.alice)
    checked = 0
    for rule in rules(planes.admin):
        if not (rule.methods or set()) & UNSAFE or rule.endpoint in BY_LINK:
            continue
        for token in ({}, {"csrf_token": ""}, {"csrf_token": "garbage"}):
            answer = alice.raw("POST", things.path(planes.admin, rule), data=token)
            assert answer.status_code == 400, f"{rule} with {token}: {answer.status_code}"
            checked += 1
    assert checked > 40


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_that_another_site_sends_is_refused_even_with_a_token(
    site: str, people: People
) -> None:
    alice = people.browser(people.alice)
    data, headers = {"csrf_token": alice.token(), "theme": "dark"}, {"Sec-Fetch-Site": site}
    assert alice.raw("POST", "/theme", data=data, headers=headers).status_code == 403
    for fine in ({"Sec-Fetch-Site": "same-origin"}, {}):
        assert alice.raw("POST", "/theme", data=data, headers=fine).status_code == 303


def test_the_token_of_another_session_is_refused(people: People, things: Things) -> None:
    alice, bob = people.browser(people.alice), people.browser(people.bob)
    answer = alice.raw("POST", "/account/sessions/revoke-all", data={"csrf_token": bob.token()})
    assert answer.status_code == 400


def test_looking_changes_nothing(
    planes: Planes, people: People, things: Things, database: Callable[..., Any] | None
) -> None:
    alice = people.browser(people.alice)
    before = _everything()
    for rule in rules(planes.admin):
        if "GET" in (rule.methods or set()):
            fine = (200, 303, 403 if is_for_superusers(planes, rule) else 404, 404)
            assert alice.raw("GET", things.path(planes.admin, rule)).status_code in fine
    assert _everything() == before


def is_for_superusers(planes: Planes, rule: Rule) -> bool:
    declared = permission_of(planes.admin, rule.endpoint)
    return declared is not None and declared.least == SUPERUSER


def _everything() -> dict[str, list[Any]]:
    db.session.rollback()
    tables = [t for t in db.metadata.sorted_tables if t.name != "user_sessions"]
    return {t.name: db.session.execute(db.select(t)).all() for t in tables}


def test_who_was_removed_gets_nothing(planes: Planes, people: People, things: Things) -> None:
    bob = people.browser(people.bob)
    token = bob.token()
    people.browser(people.alice).post(f"/users/{people.bob.profile_id}/remove")
    checked = 0
    for rule in rules(planes.admin):
        if rule.endpoint in OPEN_TO_ANYBODY | BY_LINK | BY_MAIL | {"accounts.logout"}:
            continue
        for method in (rule.methods or set()) & {"GET", "POST"}:
            path = things.path(planes.admin, rule)
            answer = bob.raw(method, path, data={"csrf_token": token})
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
            assert b"secret_client" not in answer.data
            checked += 1
    assert checked > 100


def test_a_viewer_changes_nothing(planes: Planes, people: People, things: Things) -> None:
    vera = people.browser(people.vera)
    token = vera.token()
    for rule in _owned(planes.admin):
        if "POST" in (rule.methods or set()) and rule.endpoint not in OWN_READING:
            answer = vera.raw("POST", things.path(planes.admin, rule), data={"csrf_token": token})
            assert answer.status_code == 403, f"{rule}: {answer.status_code}"


def test_a_member_changes_only_his_own_clients(
    people: People, things: Things, make_client: MakeClient
) -> None:
    bob = people.browser(people.bob)
    own = make_client("bobs", people.bob)
    foreign = things.values["llm_client_id"]
    bob.get(f"/llm-clients/{foreign}/", 200)
    bob.get(f"/llm-clients/{foreign}/edit", 403)
    bob.post(f"/llm-clients/{foreign}/undeploy", expected=403)
    bob.get(f"/llm-clients/{own}/edit", 200)


def test_admin_pages_do_not_exist_on_client_hosts(planes: Planes, things: Things) -> None:
    for rule in rules(planes.admin):
        if rule.rule == "/":
            continue
        path = things.path(planes.admin, rule)
        answer = planes.serving.test_client().get(path, base_url="http://x.api.local.localhost")
        assert answer.status_code in (404, 405), path
        assert "Set-Cookie" not in answer.headers
