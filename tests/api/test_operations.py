"""Every operation of the OpenAPI document is there, and answers as the document says."""

from __future__ import annotations

from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from portal.accounts.models import AuditEvent
from portal.database import db, declare_writes, utc_now
from portal.request_history import current_recorder
from portal.request_history.storing import Visit
from tests import api_table
from tests.api.conftest import MakeProgram, Program
from tests.llm_clients.test_views_list import counted
from tests.manifests.test_history_and_webhooks import WEBHOOK
from tests.people import MakeClient, People
from tests.planes import Planes


def test_the_document_is_valid_and_describes_every_route(
    planes: Planes, make_program: MakeProgram
) -> None:
    program = make_program()
    validate(program.document, cls=OpenAPIV31SpecValidator)
    routes = {
        method
        for rule in planes.api.url_map.iter_rules()
        if rule.endpoint not in ("static", "api_document.document")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        for method in [f"{method} {rule.rule}"]
    }
    assert len(_operations(program)) == len(routes)


def test_the_page_in_docs_says_what_the_routes_say() -> None:
    assert api_table.TARGET.read_text() == api_table.written(), "run: python -m tests.api_table"


def _operations(program: Program) -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for path, methods in program.document["paths"].items()
        for method in methods
    }


def test_each_operation_answers_as_the_document_says(
    planes: Planes, people: People, make_program: MakeProgram, database: None
) -> None:
    program = make_program()
    _clients(program)
    _keys(program)
    _domains(program)
    _requests(program, planes, people)
    assert "kind: Account" in program.call("GET", "/manifests/")
    changes = program.call(
        "POST", "/manifests/?dryRun=true", data=program.call("GET", "/manifests/")
    )
    assert {one["action"] for one in changes["changes"]} == {"nothing"}
    program.call("DELETE", "/clients/2/", 202)
    assert program.called == _operations(program)
    db.session.rollback()
    declare_writes(False)
    events = db.session.scalars(db.select(AuditEvent).where(AuditEvent.by == "api")).all()
    assert {event.user_id for event in events} == {people.alice.user_id}
    actions = {event.action for event in events}
    assert actions >= {"created", "edited", "deployed", "undeployed", "deleted", "api_key_rotated"}


def _clients(program: Program) -> None:
    wish = {"metadata": {"name": "lake_guide"}, "spec": {"defaultTemperature": 0.2}}
    made = program.call("POST", "/clients/", 201, json=wish)
    path = f"/clients/{made['status']['hashedId']}/"
    assert program.call("GET", path) == made
    changed = program.call("PATCH", path, json={"spec": {"appName": "Lake"}})
    assert (changed["spec"]["appName"], changed["spec"]["defaultTemperature"]) == ("Lake", 0.2)
    moved = program.call("PATCH", path, json={"metadata": {"name": "pier_guide"}})
    assert moved["status"]["defaultHost"].startswith("pier-guide.")
    assert program.call("PATCH", path, json=moved) == program.call("GET", path)
    program.call("POST", f"{path}deploy/", 409, json={})
    assert program.call("POST", f"{path}deploy/", 202, json={"confirmPublic": True})
    assert program.call("GET", path)["spec"]["deployed"] is True
    assert program.call("POST", f"{path}cancel/", 202)["spec"]["deployed"] is False
    program.call("POST", f"{path}cancel/", 409)
    program.call("POST", f"{path}undeploy/", 202)
    copy = program.call("POST", f"{path}clone/", 201, json={"name": "second"})
    assert (copy["metadata"]["name"], copy["spec"]["appName"]) == ("second", "Lake")
    program.call("POST", f"{path}clone/", 409, json={"name": "second"})
    program.call("POST", f"{path}clone/", 422, json={"name": 7})
    listed = program.call("GET", "/clients/?q=guide")
    assert [one["name"] for one in listed["items"]] == ["pier_guide"]
    assert listed["next"] is None


def _keys(program: Program) -> None:
    wish = {"name": "shop", "llmClients": ["pier_guide"], "expiry": "90"}
    made = program.call("POST", "/keys/", 201, json=wish)
    assert made["text"].startswith(made["key"]["status"]["prefix"])
    path = f"/keys/{made['key']['status']['id']}/"
    assert program.call("GET", path)["spec"]["llmClients"] == ["alice/pier_guide"]
    sent = {"spec": {"llmClients": ["second", "pier_guide"]}}
    assert len(program.call("PATCH", path, json=sent)["spec"]["llmClients"]) == 2
    newer = program.call("POST", f"{path}rotate/", 201, json={"overlap": "1h"})
    assert newer["text"] != made["text"]
    program.call("POST", f"{path}rotate/", 409, json={})
    revoked = program.call("POST", f"/keys/{newer['key']['status']['id']}/revoke/")
    assert revoked["status"]["state"] == "Revoked"
    listed = program.call("GET", "/keys/")
    assert len(listed["items"]) == 2
    assert "text" not in str(listed)


def _domains(program: Program) -> None:
    made = program.call("POST", "/domains/", 201, json={"name": "Lake.example.com"})
    path = f"/domains/{made['status']['id']}/"
    assert made["metadata"]["name"] == "lake.example.com"
    assert program.call("GET", path)["status"]["isVerified"] is False
    [record] = program.call("GET", f"{path}records/")["items"]
    assert record["name"] == made["status"]["verificationName"]
    assert record["value"] == made["status"]["verificationValue"]
    assert program.call("GET", f"{path}checks/")["items"] == []
    program.call("POST", f"{path}check/", 202)
    assert program.raw("POST", f"/domains/{made['status']['id']}/check/").status_code == 429
    program.call("POST", "/domains/", 409, json={"name": "lake.example.com"})
    [listed] = program.call("GET", "/domains/")["items"]
    assert (listed["name"], listed["state"]) == ("lake.example.com", "pending")
    program.call("DELETE", path, 202)


def _requests(program: Program, planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        row = {
            "llm_client_id": 1,
            "account_id": people.alice.account_id,
            "created_at": utc_now(),
            "request_id": "r1",
            "request": {"message": "When is breakfast?"},
            "status": 200,
        }
        current_recorder().record(row, Visit("a" * 64, "v" * 64))
    [item] = program.call("GET", "/requests/?range=24h&client=1")["items"]
    whole = program.call("GET", f"/requests/{item['id']}/")
    assert whole["request"] == {"message": "When is breakfast?"}
    assert program.call("GET", "/requests/?status=failed")["items"] == []
    program.call("GET", "/requests/?status=hungry", 422)


def test_pages_of_a_list_follow_each_other_and_cost_the_same(
    planes: Planes, make_program: MakeProgram, make_client: MakeClient
) -> None:
    make_client("client")
    with counted(planes.api) as one:
        make_program().call("GET", "/clients/")
    for number in range(52):
        make_client(f"client_{number:02}")
    program = make_program()
    with counted(planes.api) as fifty:
        first = program.call("GET", "/clients/")
    second = program.call("GET", f"/clients/?after={first['next']}")
    assert (len(first["items"]), len(second["items"]), second["next"]) == (50, 3, None)
    assert len(fifty) <= len(one) <= 14, "\n\n".join(fifty)


def test_the_secret_of_a_webhook_is_in_the_answer_that_made_it(make_program: MakeProgram) -> None:
    program = make_program()
    [made] = program.call("POST", "/manifests/", data=WEBHOOK)["changes"]
    assert made["secret"].startswith("whsec_")
    [again] = program.call("POST", "/manifests/", data=WEBHOOK)["changes"]
    assert (again["action"], again["secret"]) == ("nothing", "")
