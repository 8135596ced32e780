"""Who asks, what they may, and how what cannot be is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal.accounts.models import UserProfile
from portal.database import db, declare_writes, utc_now
from portal.limits import defaults
from portal.people.models import PersonalToken
from portal.web import ANYBODY, permission_of
from tests.api.conftest import MakeProgram, Program
from tests.people import MakeClient, People
from tests.planes import Planes
from tests.test_routes import Things, rules, things

assert things  # a fixture

UNSAFE = {"POST", "PATCH", "DELETE"}


def called(program: Program, app: Flask, things: Things) -> list[tuple[Rule, str, Any]]:
    """Every operation with the things of Birkenhof: rule, method, answer."""
    found = []
    for rule in rules(app):
        if permission_of(app, rule.endpoint).least == ANYBODY:  # type: ignore[union-attr]
            continue
        path = things.path(app, rule).removeprefix("/api/v1")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            sent = {} if method == "GET" else {"json": {}}
            found.append((rule, method, program.raw(method, path, **sent)))
    return found


def test_nothing_is_told_without_a_token_that_works(
    planes: Planes, things: Things, make_program: MakeProgram
) -> None:
    program = make_program()
    altered = program.token[:-1] + ("y" if program.token.endswith("x") else "x")
    for token in ("", "garbage", altered, "portal_" + "x" * 62):
        program.token = token
        for rule, method, answer in called(program, planes.api, things):
            assert answer.status_code == 401, f"{method} {rule}"
            assert answer.mimetype == "application/problem+json"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_stranger_gets_404_for_everything_of_another_account(
    planes: Planes, people: People, things: Things, make_program: MakeProgram
) -> None:
    stranger, checked = make_program(people.charlie), 0
    for rule, method, answer in called(stranger, planes.api, things):
        assert b"secret_client" not in answer.data
        if rule.arguments:
            assert answer.status_code == 404, f"{method} {rule}: {answer.status_code}"
            checked += 1
    assert checked > 10


def test_a_token_that_only_reads_changes_nothing(
    planes: Planes, things: Things, make_program: MakeProgram
) -> None:
    program = make_program(may_write=False)
    for rule, method, answer in called(program, planes.api, things):
        expected = 403 if method in UNSAFE else 200
        assert answer.status_code == expected, f"{method} {rule}: {answer.data!r}"


def test_a_role_that_is_too_small_changes_nothing(
    planes: Planes, people: People, things: Things, make_program: MakeProgram
) -> None:
    program = make_program(people.vera)
    for rule, method, answer in called(program, planes.api, things):
        if method in UNSAFE or "manifests" in rule.rule:
            assert answer.status_code == 403, f"{method} {rule}: {answer.status_code}"


def test_a_member_changes_only_his_own_clients(
    people: People, make_client: MakeClient, make_program: MakeProgram
) -> None:
    foreign, own = make_client(), make_client("bobs", people.bob)
    bob = make_program(people.bob)
    bob.call("PATCH", f"/clients/{foreign}/", 403, json={"spec": {"appName": "x"}})
    bob.call("PATCH", f"/clients/{own}/", json={"spec": {"appName": "x"}})


def test_cookies_are_not_read_and_none_are_set(
    planes: Planes, people: People, make_client: MakeClient
) -> None:
    alice = people.browser(people.alice)
    cookie = alice._client.get_cookie("portal_session", domain="localhost")
    assert cookie is not None
    answer = planes.api.test_client().get(
        "/api/v1/clients/", headers={"Cookie": f"portal_session={cookie.value}"}
    )
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_a_token_ends_with_its_time_its_person_and_its_revocation(
    people: People, make_program: MakeProgram, database: None
) -> None:
    def expired(row: PersonalToken) -> None:
        row.expires_at = utc_now() - timedelta(seconds=1)

    def revoked(row: PersonalToken) -> None:
        row.revoked_at = utc_now()

    def removed(row: PersonalToken) -> None:
        db.session.get_one(UserProfile, row.user_profile_id).removed_at = utc_now()

    for end in (expired, revoked, removed):
        program = make_program(people.bob)
        program.call("GET", "/clients/")
        declare_writes(True)
        query = db.select(PersonalToken).order_by(PersonalToken.id.desc()).limit(1)
        end(db.session.scalars(query).one())
        db.session.commit()
        program.call("GET", "/clients/", 401)


def test_too_many_requests_wait(make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "API_RATE", 2)
    program = make_program()
    statuses = [program.raw("GET", "/clients/").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert int(program.raw("GET", "/clients/").headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        ({"data": "{", "content_type": "application/json"}, 400, "not a JSON object"),
        ({"data": "[1]", "content_type": "application/json"}, 400, "not a JSON object"),
        ({"data": '{"a":1,"a":2}', "content_type": "application/json"}, 400, "stands twice"),
        ({"data": '{"a":NaN}', "content_type": "application/json"}, 400, "not a JSON object"),
        ({"data": b"\xff", "content_type": "application/json"}, 400, "not a JSON object"),
        ({"data": '{"a":"\\u0000"}', "content_type": "application/json"}, 400, "be stored"),
        (
            {"data": '{"a":' + "[" * 60 + "]" * 60 + "}", "content_type": "application/json"},
            400,
            "deep",
        ),
        ({"data": '{"a":' + "[" * 99_999, "content_type": "application/json"}, 400, "not a JSON"),
        (
            {"data": '{"a":' + "9" * 9_999 + "}", "content_type": "application/json"},
            400,
            "not a JSON",
        ),
        ({"data": "a=1", "content_type": "text/plain"}, 415, "application/json"),
        ({"json": {"spec": {"defaultSystemRol": "x"}}}, 422, "Something of what was sent"),
        ({"json": {"spec": 3}}, 422, "Something of what was sent"),
        ({"json": {"kind": "Provider"}}, 422, "This is for"),
        ({"json": {"metadata": {"name": "9"}}}, 422, "Something of what was sent"),
        ({"json": {"metadata": {"name": "example"}}}, 409, "something of this name"),
    ],
    ids=lambda value: None,
)
def test_what_makes_no_sense_is_a_sentence(
    make_program: MakeProgram,
    make_client: MakeClient,
    options: dict[str, Any],
    status: int,
    sentence: str,
) -> None:
    make_client()
    answer = make_program().raw("POST", "/clients/", **options)
    told = answer.get_json()
    assert (answer.status_code, told["status"]) == (status, status), told
    assert sentence in told["detail"]


def test_fields_that_are_to_blame_are_named(make_program: MakeProgram) -> None:
    sent = {"metadata": {"name": "lake"}, "spec": {"defaultTemperature": 3, "provider": "none"}}
    told = make_program().call("POST", "/clients/", 422, json=sent)
    assert {one["field"] for one in told["errors"]} == {"spec.defaultTemperature", "spec.provider"}


def test_what_is_not_there_is_a_problem_too(make_program: MakeProgram) -> None:
    program = make_program()
    for method, path, status in (
        ("GET", "/nothing/", 404),
        ("PUT", "/clients/", 405),
        ("GET", f"/requests/{2**70}/", 404),
        ("GET", "/clients/%00/", 404),
    ):
        answer = program.raw(method, path)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
