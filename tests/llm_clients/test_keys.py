"""API keys as people handle them: made, shown once, attached, rotated, revoked; by role."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from portal.accounts.models import AuditEvent
from portal.database import db, utc_now
from portal.llm_clients.models import LLMClient, LLMClientAPIKey
from portal.vault import tokens
from portal.vault.models import AuthToken
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def made(browser: Browser, *clients: str, name: str = "site", **fields: Any) -> tuple[Page, str]:
    """The page after a key was made, and the key's text on it."""
    sent = {"name": name, "expiry": "never", "clients": list(clients), **fields}
    page = browser.post("/api-keys/new", sent, 200)
    page.obeys_the_house()
    return page, page.find("pre.code").get_text()


def keys(planes: Planes) -> list[AuthToken]:
    with planes.worker.app_context():
        return list(db.session.scalars(db.select(AuthToken).order_by(AuthToken.id)))


def attachments(planes: Planes) -> list[tuple[str, int]]:
    """Names of clients and numbers of keys."""
    with planes.worker.app_context():
        query = (
            db.select(LLMClient.name, LLMClientAPIKey.api_key_id)
            .join(LLMClient, LLMClient.id == LLMClientAPIKey.llm_client_id)
            .order_by(LLMClientAPIKey.api_key_id, LLMClient.name)
        )
        return [(name, key_id) for name, key_id in db.session.execute(query)]


def actions(planes: Planes) -> list[str]:
    with planes.worker.app_context():
        query = db.select(AuditEvent.action).where(AuditEvent.action.startswith("api_key"))
        return list(db.session.scalars(query.order_by(AuditEvent.id)))


def everything_stored(planes: Planes) -> str:
    with planes.worker.app_context():
        tables = db.metadata.sorted_tables
        return "\n".join(str(db.session.execute(db.select(table)).all()) for table in tables)


def test_a_key_is_shown_once_and_stored_as_its_hash_only(
    planes: Planes, alice: Browser, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    page, text = made(alice, make_client())
    assert tokens.parse(text)
    assert page.text.count(text) == 1
    assert page.response.headers["Cache-Control"] == "no-store"
    assert page.find("[data-copy]")["aria-label"] == "Copy the key"
    [key] = keys(planes)
    assert key.secret_hash == tokens.digest(text)
    stored = everything_stored(planes)
    secret = text.removeprefix(key.prefix + "_")
    assert key.prefix in stored
    assert secret[:-6] not in stored
    for path in ("/api-keys/", f"/api-keys/{key.id}/", f"/api-keys/{key.id}/edit", "/"):
        later = alice.get(path)
        assert secret[:-6] not in later.text
        assert secret[:-6] not in str(later.response.headers)
    assert secret[:-6] not in caplog.text
    assert not page.response.headers.getlist("Set-Cookie")


def test_the_list_teaches_before_there_is_a_key(people: People, alice: Browser) -> None:
    page = alice.get("/api-keys/")
    assert "Create your first API key" in page.words
    assert page.find("main a[href='/api-keys/new']")
    looking = people.browser(people.vera).get("/api-keys/")
    assert "An admin of your account creates keys." in looking.words
    assert not looking.html.select("main a[href='/api-keys/new']")


def test_the_list_tells_what_each_key_opens(
    planes: Planes, alice: Browser, make_client: MakeClient
) -> None:
    clients = [make_client(f"client{number}") for number in range(5)]
    made(alice, *clients, name="many")
    made(alice, name="none", expiry="30")
    words = alice.get("/api-keys/").words
    assert "client0 client1 client2 and 2 more" in words
    assert "None, so it opens nothing" in words
    assert "by alice" in words
    many, none = keys(planes)
    assert f"{many.prefix}…" in words
    assert many.expires_at is None
    left = none.expires_at - utc_now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    page = alice.get(f"/api-keys/{none.id}/")
    assert "Last used Never" in page.words


def test_a_long_list_has_pages(alice: Browser, planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        account_id = people.alice.account_id
        for number in range(60):
            row = AuthToken(account_id=account_id, prefix=f"p{number}", secret_hash="h", name="n")
            db.session.add(row)
            db.session.flush()
        db.session.commit()
    first = alice.get("/api-keys/")
    assert len(first.html.select("tbody tr")) == 50
    second = alice.get(str(first.find("a[rel=next]")["href"]))
    assert len(second.html.select("tbody tr")) == 10
    again = alice.get(str(second.find("a[rel=prev]")["href"]))
    assert prefixes(again) == prefixes(first) != prefixes(second)


def prefixes(page: Page) -> list[str]:
    return [one.get_text() for one in page.html.select("tbody th span")]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Give the key a name."),
        ({"name": "   "}, "Give the key a name."),
        ({"name": "x" * 101}, "Must be at most 100 characters."),
        ({"name": "a\x00b"}, "Contains a character that cannot be stored."),
        ({"expiry": "31"}, "Expires:"),
        ({"clients": ["zzz"]}, "One of the LLM clients does not exist any more."),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_made(
    planes: Planes, alice: Browser, fields: dict[str, Any], sentence: str
) -> None:
    page = alice.post("/api-keys/new", {"name": "site", "expiry": "never", **fields}, 422)
    page.obeys_the_house()
    assert sentence in page.words
    assert keys(planes) == []


def test_a_key_is_attached_to_no_client_of_another_account(
    planes: Planes, people: People, alice: Browser, make_client: MakeClient
) -> None:
    foreign = make_client("foreign", people.charlie)
    alice.post("/api-keys/new", {"name": "x", "expiry": "never", "clients": [foreign]}, 422)
    _, _ = made(alice, make_client())
    [key] = keys(planes)
    alice.post(f"/api-keys/{key.id}/edit", {"name": "x", "clients": [foreign]}, 422)
    charlie = people.browser(people.charlie)
    charlie.post(f"/llm-clients/{foreign}/keys/{key.id}/attach", expected=404)
    assert attachments(planes) == [("example", key.id)]


def test_the_form_marks_the_client_it_was_opened_for(
    alice: Browser, make_client: MakeClient
) -> None:
    hashed_id = make_client()
    page = alice.get(f"/api-keys/new?llm_client={hashed_id}")
    assert [box["value"] for box in page.html.select("input[checked]")] == [hashed_id]
    assert not alice.get("/api-keys/new?llm_client=zzz").html.select("input[checked]")


def test_editing_changes_the_name_and_what_it_opens(
    planes: Planes, alice: Browser, make_client: MakeClient
) -> None:
    first, second, third = (make_client(name) for name in ("first", "second", "third"))
    made(alice, first, second)
    [key] = keys(planes)
    boxes = alice.get(f"/api-keys/{key.id}/edit").html.select("input[checked]")
    assert {box["value"] for box in boxes} == {first, second}
    sent = {"name": "shop", "clients": [second, third]}
    page = alice.follow(alice.post(f"/api-keys/{key.id}/edit", sent))
    assert "shop is saved." in page.words
    assert attachments(planes) == [("second", key.id), ("third", key.id)]
    with planes.worker.app_context():
        query = db.select(AuditEvent).where(AuditEvent.action == "api_key_changed")
        event = db.session.scalars(query).one()
        assert event.before == {"name": "site", "llm_clients": ["first", "second"]}
        assert event.after == {"name": "shop", "llm_clients": ["second", "third"]}


@pytest.mark.parametrize(("overlap", "hours"), [("1h", 1), ("24h", 24), ("7d", 168)])
def test_rotating_leaves_both_valid_for_the_time_chosen(
    planes: Planes, alice: Browser, make_client: MakeClient, overlap: str, hours: int
) -> None:
    _, old_text = made(alice, make_client("a"), make_client("b"))
    path = f"/api-keys/{keys(planes)[0].id}/rotate"
    page = alice.post(path, {"overlap": overlap, "expiry": "90"}, 200)
    page.obeys_the_house()
    new_text = page.find("pre.code").get_text()
    assert new_text != old_text
    assert old_text not in page.text
    old, new = keys(planes)
    assert old.replaced_by_id == new.id
    assert new.name == old.name
    left = old.expires_at - utc_now()
    assert timedelta(hours=hours) - timedelta(minutes=1) < left <= timedelta(hours=hours)
    assert [key_id for _, key_id in attachments(planes)] == [old.id, old.id, new.id, new.id]
    words = alice.get("/api-keys/").words
    assert f"Being replaced by {new.prefix}…" in words
    assert f"Active replaces {old.prefix}…" in words
    assert alice.follow(alice.post(path, {"overlap": "0", "expiry": "never"})).words.count(
        "is being replaced already."
    )
    later = utc_now() + timedelta(hours=hours, seconds=1)
    with time_machine.travel(later), planes.worker.app_context():
        assert not db.session.get(AuthToken, old.id).is_valid(utc_now())
    assert new_text not in everything_stored(planes)


def test_rotating_without_overlap_ends_the_old_key_at_once(
    planes: Planes, alice: Browser, make_client: MakeClient
) -> None:
    made(alice, make_client())
    [key] = keys(planes)
    page = alice.post(f"/api-keys/{key.id}/rotate", {"overlap": "0", "expiry": "never"}, 200)
    assert "is refused from now on" in page.words
    old, new = keys(planes)
    assert not old.is_active
    assert new.is_active
    assert f"Replaced by {new.prefix}…" in alice.get("/api-keys/").words


def test_rotating_never_lengthens_the_life_of_the_old_key(planes: Planes, alice: Browser) -> None:
    made(alice, expiry="30")
    [key] = keys(planes)
    with planes.worker.app_context():
        row = db.session.get(AuthToken, key.id)
        row.expires_at = ends = utc_now() + timedelta(minutes=5)
        db.session.commit()
    values = alice.get(f"/api-keys/{key.id}/rotate").values("main form.card")
    assert values["expiry"] == "30"
    alice.post(f"/api-keys/{key.id}/rotate", {"overlap": "7d", "expiry": "30"}, 200)
    assert keys(planes)[0].expires_at == ends


def test_two_who_rotate_at_once_make_one_key(
    planes: Planes, people: People, alice: Browser, make_client: MakeClient
) -> None:
    made(alice, make_client())
    [key] = keys(planes)
    path, sent = f"/api-keys/{key.id}/rotate", {"overlap": "1h", "expiry": "never"}
    browsers = [people.browser(people.alice) for _ in range(4)]
    tokens_of = [browser.token() for browser in browsers]

    def rotate(number: int) -> int:
        data = {**sent, "csrf_token": tokens_of[number]}
        return int(browsers[number].raw("POST", path, data=data).status_code)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(rotate, range(4))) == [200, 303, 303, 303]
    assert len(keys(planes)) == 2


def test_a_wrong_choice_rotates_nothing(planes: Planes, alice: Browser) -> None:
    made(alice)
    [key] = keys(planes)
    alice.post(f"/api-keys/{key.id}/rotate", {"overlap": "9y", "expiry": "never"}, 422)
    assert len(keys(planes)) == 1


def test_revoking_names_the_clients_that_would_stand_open(
    planes: Planes, alice: Browser, make_client: MakeClient
) -> None:
    alone, shared = make_client("alone"), make_client("shared")
    made(alice, alone, shared)
    made(alice, shared, name="other")
    key, other = keys(planes)
    page = alice.get(f"/api-keys/{key.id}/revoke")
    assert "Anyone will be able to use alone" in page.words
    assert "able to use alone, shared" not in page.words
    page = alice.follow(alice.post(f"/api-keys/{key.id}/revoke"))
    assert "site is revoked." in page.words
    assert "Revoked" in page.find("tbody tr:last-child").get_text()
    assert [row.is_active for row in keys(planes)] == [False, True]
    assert "Anyone will" in alice.get(f"/api-keys/{other.id}/revoke").words
    again = alice.follow(alice.post(f"/api-keys/{key.id}/revoke"))
    assert "site is revoked already." in again.words
    for verb in ("rotate", "revoke"):
        assert alice.get(f"/api-keys/{key.id}/{verb}", 303).location == f"/api-keys/{key.id}/"


def test_an_expired_key_says_so(planes: Planes, alice: Browser) -> None:
    made(alice)
    [key] = keys(planes)
    for left, word in ((timedelta(days=6), "Expires soon"), (timedelta(0), "Expired")):
        with planes.worker.app_context():
            db.session.get(AuthToken, key.id).expires_at = utc_now() + left
            db.session.commit()
        assert word in alice.get("/api-keys/").words


def test_the_tab_attaches_and_detaches(
    planes: Planes, alice: Browser, make_client: MakeClient
) -> None:
    tab = f"/llm-clients/{make_client()}/keys"
    made(alice)
    [key] = keys(planes)
    page = alice.get(tab)
    assert "No key is attached" in page.words
    assert "Anyone who knows the address can use it." in page.words
    page = alice.follow(alice.post(f"{tab}/{key.id}/attach"))
    assert "site is attached." in page.words
    assert "It answers only callers that present one of these keys." in page.words
    alice.post(f"{tab}/{key.id}/attach")
    assert attachments(planes) == [("example", key.id)]
    assert "Anyone will be able to use example" in alice.get(f"{tab}/{key.id}/detach").words
    page = alice.follow(alice.post(f"{tab}/{key.id}/detach"))
    assert "site is detached." in page.words
    assert attachments(planes) == []
    assert "site is not attached." in alice.follow(alice.post(f"{tab}/{key.id}/detach")).words
    assert actions(planes) == ["api_key_created", "api_key_attached", "api_key_detached"]


def test_a_key_that_has_ended_is_not_attached(
    planes: Planes, alice: Browser, make_client: MakeClient
) -> None:
    tab = f"/llm-clients/{make_client()}/keys"
    made(alice)
    [key] = keys(planes)
    alice.post(f"/api-keys/{key.id}/revoke")
    assert "The account has no other valid key." in alice.get(tab).words
    assert "no longer valid" in alice.follow(alice.post(f"{tab}/{key.id}/attach")).words
    assert attachments(planes) == []


def test_readiness_leads_to_the_tab(alice: Browser, make_client: MakeClient) -> None:
    path = f"/llm-clients/{make_client()}/"
    link = alice.get(path).find(f"section[aria-labelledby=readiness] a[href='{path}keys']")
    assert link.get_text() == "Attach a key"
    assert alice.get(path).find(f".tabs a[href='{path}keys']").get_text() == "Keys"


def test_a_member_attaches_to_his_own_clients_only(
    planes: Planes, people: People, alice: Browser, make_client: MakeClient
) -> None:
    own, foreign = make_client("bobs", people.bob), make_client("hers")
    made(alice)
    [key] = keys(planes)
    bob = people.browser(people.bob)
    assert bob.get("/api-keys/").html.select("tbody tr")
    bob.post(f"/llm-clients/{own}/keys/{key.id}/attach")
    assert not bob.get(f"/llm-clients/{foreign}/keys").html.select("main form")
    bob.post(f"/llm-clients/{foreign}/keys/{key.id}/attach", expected=403)
    bob.get(f"/llm-clients/{foreign}/keys/{key.id}/detach", 403)
    bob.post(f"/llm-clients/{foreign}/keys/{key.id}/detach", expected=403)
    assert attachments(planes) == [("bobs", key.id)]
    bob.post(f"/llm-clients/{own}/keys/{key.id}/detach")
    assert attachments(planes) == []
    for path in ("new", f"{key.id}/edit", f"{key.id}/rotate", f"{key.id}/revoke"):
        bob.get(f"/api-keys/{path}", 403)
        bob.post(f"/api-keys/{path}", expected=403)
    page = bob.get(f"/api-keys/{key.id}/")
    assert not page.html.select("main a[href$='/edit']")


def test_a_viewer_looks_and_does_nothing(
    planes: Planes, people: People, alice: Browser, make_client: MakeClient
) -> None:
    hashed_id = make_client()
    made(alice, hashed_id)
    [key] = keys(planes)
    vera = people.browser(people.vera)
    for path in ("/api-keys/", f"/api-keys/{key.id}/", f"/llm-clients/{hashed_id}/keys"):
        assert not vera.get(path).html.select("main form, main .btn"), path
    vera.post(f"/llm-clients/{hashed_id}/keys/{key.id}/detach", expected=403)
    vera.post(f"/api-keys/{key.id}/revoke", expected=403)
    assert keys(planes)[0].is_active


def test_a_stranger_finds_no_key(planes: Planes, people: People, alice: Browser) -> None:
    made(alice)
    [key] = keys(planes)
    charlie = people.browser(people.charlie)
    assert not charlie.get("/api-keys/").html.select("tbody tr")
    charlie.get(f"/api-keys/{key.id}/", 404)
    for verb in ("edit", "rotate", "revoke"):
        charlie.post(f"/api-keys/{key.id}/{verb}", {"name": "x", "overlap": "0"}, 404)
    assert len(keys(planes)) == 1


def test_the_audit_log_knows_each_step_and_no_secret(
    planes: Planes, alice: Browser, make_client: MakeClient
) -> None:
    _, text = made(alice, make_client())
    path = f"/api-keys/{keys(planes)[0].id}"
    alice.post(f"{path}/edit", {"name": "shop", "clients": []})
    page = alice.post(f"{path}/rotate", {"overlap": "1h", "expiry": "never"}, 200)
    alice.post(f"{path}/revoke")
    expected = ["api_key_created", "api_key_changed", "api_key_rotated", "api_key_revoked"]
    assert actions(planes) == expected
    stored = everything_stored(planes)
    for secret in (text, page.find("pre.code").get_text()):
        assert secret not in stored
        assert secret[20:-6] not in stored
