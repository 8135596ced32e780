"""ETag, If-None-Match and If-Match on a client: nobody overwrites what he has not seen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import MakeProgram, Program
from tests.people import MakeClient, People

PATH = "/clients/1/"


@pytest.fixture
def program(make_program: MakeProgram, make_client: MakeClient) -> Program:
    make_client("lake_guide")
    return make_program()


def tag_of(program: Program) -> str:
    """Of the client as it is now."""
    return str(program.raw("GET", PATH).headers["ETag"])


def changed(program: Program, tag: str, words: str, expected: int = 200) -> Any:
    sent = {"spec": {"appName": words}}
    return program.call("PATCH", PATH, expected, json=sent, headers={"If-Match": tag})


def test_what_a_program_has_already_is_not_sent_again(program: Program) -> None:
    tag = tag_of(program)
    same = program.raw("GET", PATH, headers={"If-None-Match": tag})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
    program.call("PATCH", PATH, json={"spec": {"appName": "Lake"}})
    other = program.raw("GET", PATH, headers={"If-None-Match": tag})
    assert other.status_code == 200
    assert other.headers["ETag"] != tag


def test_the_second_of_two_who_saw_the_same_is_refused(program: Program) -> None:
    tag = tag_of(program)
    changed(program, tag, "First")
    refused = changed(program, tag, "Second", 412)
    assert "Get it, look at what has changed" in refused["detail"]
    assert program.call("GET", PATH)["spec"]["appName"] == "First"
    changed(program, tag_of(program), "Second")
    changed(program, "*", "Third")
    assert program.call("GET", PATH)["spec"]["appName"] == "Third"


def test_what_a_change_answers_carries_the_next_tag(program: Program) -> None:
    answer = program.raw("PATCH", PATH, json={"spec": {"appName": "Lake"}})
    assert answer.headers["ETag"] == tag_of(program)
    weak = f"W/{answer.headers['ETag']}"  # RFC 9110 section 13.1.1: only strong ones count
    changed(program, weak, "Pier", 412)


@pytest.mark.parametrize("verb", ["deploy/", "undeploy/", "cancel/", "clone/"])
def test_acts_and_deletion_ask_too(program: Program, verb: str) -> None:
    old = {"If-Match": '"of-long-ago"'}
    program.call("POST", f"{PATH}{verb}", 412, json={}, headers=old)
    program.call("DELETE", PATH, 412, headers=old)
    assert program.call("GET", "/clients/")["items"][0]["name"] == "lake_guide"


def test_a_foreign_client_has_no_tag(
    people: People, program: Program, make_program: MakeProgram
) -> None:
    stranger, tag = make_program(people.charlie), tag_of(program)
    for header in ("If-Match", "If-None-Match"):
        assert stranger.raw("GET", PATH, headers={header: tag}).status_code == 404
    assert stranger.raw("PATCH", PATH, json={}, headers={"If-Match": tag}).status_code == 404
