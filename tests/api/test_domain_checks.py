"""The five checks of a domain for programs, as the page tells them."""

from __future__ import annotations

from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.reasons import failed, passed
from portal.custom_domains.results import Checks, Reasons
from portal.database import db
from tests.api.conftest import MakeProgram
from tests.people import People


def test_each_check_has_its_verdict_its_reason_and_its_sentence(
    people: People, make_program: MakeProgram, database: None
) -> None:
    program = make_program()
    made = program.call("POST", "/domains/", 201, json={"name": "lake.example.com"})
    row = db.session.get_one(LLMClientCustomDomain, made["status"]["id"])
    missing = failed(Checks.OWNERSHIP, "lake.example.com", Reasons.MISSING_AT_AUTHORITY)
    there = passed(Checks.EXISTS, "lake.example.com", "It exists.", found=("ns1.example.com",))
    row.check_results = [there.as_json(), missing.as_json()]
    db.session.commit()
    path = f"/domains/{made['status']['id']}/checks/"
    first, second = program.call("GET", path)["items"]
    assert (first["check"], first["verdict"], first["reason"]) == ("exists", "pass", None)
    assert (second["verdict"], second["reason"]) == ("wrong", "missing_at_authority")
    assert second["whoActs"] == "customer"
    assert second["sentence"] == missing.sentence
    assert second["fix"] == missing.fix
    assert make_program(people.charlie).raw("GET", path).status_code == 404
