"""F and H: cookies, headers, hosts (SECURITY.md sections 2.2 and 2.3)."""

from __future__ import annotations

import dataclasses
import time

import pytest
from argon2 import PasswordHasher

from portal.accounts import passwords
from portal.app import create_admin_app, create_serving_app
from portal.database import db
from portal.settings import Settings
from tests.people import PASSWORD, STRONG, MakeClient, People
from tests.planes import Planes

ANSWERS = {
    "/": 200,
    "/llm-clients/": 200,
    "/account/sessions": 200,
    "/nothing": 404,
    "/llm-clients/zzzzzzzzzzzzzzzzzzzz/": 404,
    "/accounts/": 403,
    "/logout": 405,
    "/login?next=/": 303,
    "/?a=%00": 400,
}


@pytest.fixture
def public(settings: Settings) -> Settings:
    """The same portal as it is in production, over https."""
    return dataclasses.replace(
        settings,
        environment="prod",
        is_local=False,
        scheme="https",
        platform_domain="platform.example.com",
        api_domain="api.example.com",
        base_api_domain="api.example.com",
    )


def test_f4_the_cookie_of_production_stays_on_its_host(public: Settings, planes: Planes) -> None:
    app = create_admin_app(public)
    answer = app.test_client().get("/login", base_url=public.platform_url)
    with app.app_context():
        db.engine.dispose()
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-portal_session=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie.split("; "), part
    assert "domain=" not in cookie.lower()
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_f4_the_serving_plane_neither_reads_nor_sets_the_cookie_of_people(
    public: Settings, planes: Planes
) -> None:
    app = create_serving_app(public)
    client = app.test_client()
    client.set_cookie("__Host-portal_session", "x", domain="api.example.com", secure=True)
    answer = client.get("/", base_url="https://bot.alice.api.example.com")
    with app.app_context():
        db.engine.dispose()
    assert answer.status_code == 404
    assert not any("portal_session" in line for line in answer.headers.getlist("Set-Cookie"))


def test_f6_an_unknown_name_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least of five, so that a busy machine does not decide; with a sixth of the real work."""
    strong = PasswordHasher(time_cost=1, memory_cost=STRONG.memory_cost // 2, parallelism=4)
    monkeypatch.setattr(passwords, "_hasher", strong)
    passwords._nobodys.cache_clear()

    def seconds(stored: str) -> float:
        def once() -> float:
            begun = time.perf_counter()
            assert not passwords.matches("not this one", stored)
            return time.perf_counter() - begun

        return min(once() for _ in range(5))

    seconds("")  # makes what an unknown name is compared with
    assert 0.4 < seconds("") / seconds(strong.hash(PASSWORD)) < 2.5
    passwords._nobodys.cache_clear()


def test_f6_the_work_is_what_rfc_9106_advises_for_little_memory() -> None:
    """64 MiB, three passes, four lanes: its second recommended option."""
    assert (STRONG.memory_cost, STRONG.time_cost, STRONG.parallelism) == (65_536, 3, 4)


@pytest.mark.parametrize("path", [*ANSWERS, "/static/portal.css"])
def test_f10_every_answer_of_the_admin_plane_has_its_headers(path: str, people: People) -> None:
    answer = people.browser(people.alice).raw("GET", path)
    assert answer.status_code == ANSWERS.get(path, 200)
    policy = answer.headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "charset=utf-8" in answer.content_type
    answer.close()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "DELETE"])
def test_h2_methods_that_nobody_uses_do_nothing(method: str, people: People) -> None:
    assert people.browser(people.alice).raw(method, "/llm-clients/").status_code in (400, 405)


FORWARDED = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
FORWARDED |= {"X-Host": "evil.example", "X-Original-URL": "/accounts/", "X-Rewrite-URL": "/x"}


def test_h1_headers_of_a_proxy_that_nobody_named_mean_nothing(people: People) -> None:
    alice = people.browser(people.alice)
    for path in ("/", "/llm-clients/", "/account/sessions"):
        page = alice.get(path, headers={**FORWARDED, "X-Forwarded-For": "192.0.2.99"})
        assert "evil.example" not in page.text
        assert "192.0.2.99" not in page.text
    assert alice.raw("GET", "/nothing", headers=FORWARDED).status_code == 404


def test_h3_an_address_in_an_answer_is_the_one_of_the_settings(
    planes: Planes, people: People, make_client: MakeClient
) -> None:
    hashed_id = make_client()
    page = people.browser(people.alice).get(f"/llm-clients/{hashed_id}/embed", headers=FORWARDED)
    assert "evil.example" not in page.text
    assert planes.settings.base_api_domain in page.text
