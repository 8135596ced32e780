"""Idempotency-Key: sent again, done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from portal.api.models import ApiReplay
from portal.api.replaying import KEPT
from portal.database import db, declare_writes, utc_now
from portal.llm_clients.models import LLMClient
from portal.vault.models import AuthToken
from tests.api.conftest import MakeProgram, Program
from tests.people import People

WISH = {"metadata": {"name": "lake_guide"}}


def post(program: Program, path: str, body: Any, key: str = "k-1") -> Any:
    return program.raw("POST", path, json=body, headers={"Idempotency-Key": key})


def count(model: type[Any]) -> int:
    db.session.rollback()
    declare_writes(False)
    return len(db.session.scalars(db.select(model)).all())


def test_what_is_sent_again_is_done_once_and_answered_the_same(
    make_program: MakeProgram, database: None
) -> None:
    program = make_program()
    first, second = (post(program, "/clients/", WISH) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    assert first.headers["Location"] == second.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert count(LLMClient) == 1


def test_a_key_belongs_to_one_request_of_one_token(
    people: People, make_program: MakeProgram
) -> None:
    program = make_program()
    post(program, "/clients/", WISH)
    other = post(program, "/clients/", {"metadata": {"name": "other"}})
    assert (other.status_code, other.get_json()["detail"][:24]) == (422, "This Idempotency-Key was")
    assert post(make_program(people.charlie), "/clients/", WISH).status_code == 201
    assert post(program, "/clients/", WISH, "has space").status_code == 400


def test_what_was_refused_may_be_sent_again(make_program: MakeProgram) -> None:
    program = make_program()
    assert post(program, "/clients/", {"metadata": {"name": "9"}}).status_code == 422
    assert post(program, "/clients/", WISH).status_code == 201


def test_the_text_of_a_key_is_not_told_twice(make_program: MakeProgram, database: None) -> None:
    program = make_program()
    first, second = (post(program, "/keys/", {"name": "shop"}) for _ in range(2))
    assert first.status_code == 201
    assert (second.status_code, second.headers["Location"]) == (409, first.headers["Location"])
    assert count(AuthToken) == 1
    stored = db.session.execute(db.select(ApiReplay.__table__)).all()
    assert first.get_json()["text"] not in repr(stored)


def test_it_is_forgotten_after_a_day(make_program: MakeProgram, database: None) -> None:
    program = make_program()
    post(program, "/clients/", WISH)
    declare_writes(True)
    row = db.session.scalars(db.select(ApiReplay)).one()
    row.created_at = utc_now() - KEPT - timedelta(seconds=1)
    db.session.commit()
    assert post(program, "/clients/", WISH).status_code == 409  # the client is there
    assert post(program, "/clients/", {"metadata": {"name": "other"}}).status_code == 201
    assert count(ApiReplay) == 1
