"""A client's pages: making, editing, deploying, watching, renaming, cloning, deleting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from portal.accounts.models import AuditEvent
from portal.database import db, utc_now
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientAPIKey, LLMClientHost
from portal.system import heartbeats
from portal.vault.models import AuthToken
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes

RunJobs = Callable[..., int]


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


@pytest.fixture
def path(make_client: MakeClient) -> str:
    return f"/llm-clients/{make_client('example')}/"


def edited(browser: Browser, path: str, **changes: Any) -> Page:
    """The form as it stands, with some fields changed and saved."""
    values = browser.get(path + "edit").values("main form.card")
    return browser.post(path + "edit", {**values, **changes})


def the_client(planes: Planes) -> LLMClient:
    with planes.worker.app_context():
        return db.session.scalars(db.select(LLMClient).order_by(LLMClient.id)).first()


def events(planes: Planes) -> list[AuditEvent]:
    """What people did, in order; what jobs did is not of interest here."""
    with planes.worker.app_context():
        query = db.select(AuditEvent).where(AuditEvent.by == "form").order_by(AuditEvent.id)
        return list(db.session.scalars(query))


def attach_key(planes: Planes) -> None:
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        key = AuthToken(
            account_id=llm_client.account_id, prefix="p", secret_hash="h" * 64, name="site"
        )
        db.session.add(LLMClientAPIKey(llm_client=llm_client, api_key=key))
        db.session.commit()


def test_a_new_form_suggests_what_works_at_once(planes: Planes, alice: Browser) -> None:
    values = alice.get("/llm-clients/new").values("main form.card")
    created = alice.post("/llm-clients/new", {**values, "name": "guide"})
    page = alice.follow(created)
    assert "guide is created." in page.words
    assert page.find("#primary").get_text() == "Deploy"
    assert the_client(planes).newest_revision_number == 1


def test_saving_tells_the_revision_and_a_second_save_that_nothing_changed(
    planes: Planes, alice: Browser, path: str
) -> None:
    page = alice.follow(edited(alice, path, app_name="Museum", note="A title"))
    assert "Saved as revision 2." in page.words
    page = alice.follow(edited(alice, path))
    assert "Nothing was changed." in page.words
    assert the_client(planes).newest_revision_number == 2
    assert [event.action for event in events(planes)] == ["edited"]


def test_a_public_client_asks_before_it_opens(planes: Planes, alice: Browser, path: str) -> None:
    page = alice.post(path + "deploy", expected=200)
    assert "anyone who knows the address can use this client" in page.words
    assert "The demo provider costs nothing." in page.words
    alice.post(path + "deploy", page.values("main form"))
    with planes.worker.app_context():
        assert db.session.scalar(db.select(db.func.count()).select_from(Deployment)) == 1


def test_a_client_with_a_key_opens_without_a_question(
    planes: Planes, alice: Browser, path: str
) -> None:
    attach_key(planes)
    page = alice.get(path)
    assert page.find("form:has(#primary)")["action"] == path + "deploy"
    alice.post(path + "deploy", expected=303)
    assert alice.get(path).html.select_one("#status[data-poll-url]")


def test_polling_lasts_as_long_as_the_work(alice: Browser, path: str, run_jobs: RunJobs) -> None:
    assert not alice.get(path).html.select("[data-poll-url], [data-poll-after]")
    alice.post(path + "deploy", {"confirm": "yes"})
    part = alice.get(path).find("#status")
    assert part["data-poll-url"] == path + "status"
    assert 500 <= int(part["data-poll-after"]) <= 3000
    run_jobs()
    for finished in (alice.get(path), alice.get(path + "status")):
        assert not finished.html.select("[data-poll-url], [data-poll-after]")
        assert "Ready" in finished.find(".head-title").get_text()
        assert "Done in Done" not in finished.words


def test_polling_slows_down_with_age(alice: Browser, path: str) -> None:
    start = utc_now()
    with time_machine.travel(start, tick=False) as clock:
        alice.post(path + "deploy", {"confirm": "yes"})
        waits = []
        for seconds in (1, 60, 400):
            clock.move_to(start + timedelta(seconds=seconds))
            waits.append(int(alice.get(path + "status").find("#status")["data-poll-after"]))
    assert waits == sorted(waits)
    assert waits[0] < waits[1] < waits[2]


def test_the_fragment_is_sent_again_only_when_it_changed(
    alice: Browser, path: str, run_jobs: RunJobs
) -> None:
    with time_machine.travel(utc_now(), tick=False):
        alice.post(path + "deploy", {"confirm": "yes"})
        first = alice.get(path + "status")
        assert "<html" not in first.text
        mark = {"If-None-Match": first.response.headers["ETag"]}
        again = alice.get(path + "status", 304, headers=mark)
        assert again.text == ""
        run_jobs()
        assert alice.get(path + "status", 200, headers=mark).text != first.text


def test_page_and_fragment_show_the_same(alice: Browser, path: str) -> None:
    with time_machine.travel(utc_now(), tick=False):
        alice.post(path + "deploy", {"confirm": "yes"})
        alice.get(path)  # takes the message away
        page, fragment = alice.get(path), alice.get(path + "status")
        assert page.find("#status").get_text() == fragment.find("#status").get_text()


def test_the_page_says_when_no_worker_answers(planes: Planes, alice: Browser, path: str) -> None:
    start = utc_now()
    alice.post(path + "deploy", {"confirm": "yes"})
    assert "No worker has answered yet" in alice.get(path + "status").words
    with planes.worker.app_context():
        heartbeats.note("worker", start)
        db.session.commit()
    with time_machine.travel(start + timedelta(seconds=100), tick=False):
        assert "A worker answered 2 min ago" in alice.get(path + "status").words
    with time_machine.travel(start + timedelta(seconds=130), tick=False):
        assert "No worker has answered for 2 min" in alice.get(path + "status").words


def test_cancelling_ends_the_run_and_a_second_press_says_so(
    planes: Planes, alice: Browser, path: str, run_jobs: RunJobs
) -> None:
    alice.post(path + "deploy", {"confirm": "yes"})
    page = alice.follow(alice.post(path + "cancel"))
    assert "The deployment is cancelled." in page.words
    run_jobs()
    assert [event.action for event in events(planes)] == ["deployed", "deployment_cancelled"]
    page = alice.follow(alice.post(path + "cancel"))
    assert "There is no deployment to cancel any more." in page.words
    assert not the_client(planes).deployed
    assert "Not deployed" in page.find(".head-title").get_text()


def test_try_now_makes_a_waiting_run_due(planes: Planes, alice: Browser, path: str) -> None:
    alice.post(path + "deploy", {"confirm": "yes"})
    assert not alice.get(path).html.select("#try-now"), "what is due needs no button"
    with planes.worker.app_context():
        run = db.session.scalars(db.select(Deployment)).one()
        run.attempt, run.reason, run.message = 3, "not_yet", "The authority does not answer."
        run.next_attempt_at = utc_now() + timedelta(hours=1)
        db.session.commit()
    page = alice.get(path)
    assert "The authority does not answer." in page.words
    assert page.find("form:has(#try-now)")["action"] == path + "try-now"
    alice.post(path + "try-now")
    with planes.worker.app_context():
        run = db.session.scalars(db.select(Deployment)).one()
        assert run.next_attempt_at <= utc_now()
    assert [event.action for event in events(planes)] == ["deployed", "tried_now"]


def test_a_rename_keeps_the_old_address_until_the_new_one_is_ready(
    planes: Planes, alice: Browser, path: str, run_jobs: RunJobs
) -> None:
    alice.post(path + "deploy", {"confirm": "yes"})
    run_jobs()
    old = host_of(planes, "example.")
    page = alice.follow(edited(alice, path, name="renamed"))
    assert "The old address works until the new one is ready." in page.words
    assert visit(planes, old) == 200
    assert visit(planes, host_of(planes, "renamed.")) == 503
    run_jobs()
    assert visit(planes, host_of(planes, "renamed.")) == 200
    assert visit(planes, old) in (404, 503)


def test_a_rename_that_is_cancelled_leaves_the_old_address_in_use(
    planes: Planes, alice: Browser, path: str, run_jobs: RunJobs
) -> None:
    alice.post(path + "deploy", {"confirm": "yes"})
    run_jobs()
    old = host_of(planes, "example.")
    edited(alice, path, name="renamed")
    alice.post(path + "cancel")
    run_jobs()
    assert visit(planes, old) == 200
    page = alice.get(path)
    assert "Not deployed" not in page.find(".head-title").get_text()
    alice.get(path + "undeploy", 200)


def test_two_renames_in_a_row_end_at_the_last(
    planes: Planes, alice: Browser, path: str, run_jobs: RunJobs
) -> None:
    alice.post(path + "deploy", {"confirm": "yes"})
    run_jobs()
    edited(alice, path, name="second")
    run_jobs(2)
    edited(alice, path, name="third")
    run_jobs()
    assert visit(planes, host_of(planes, "third.")) == 200
    with planes.worker.app_context():
        query = db.select(LLMClientHost).where(LLMClientHost.llm_client_id.is_not(None))
        assert [host.hostname.split(".")[0] for host in db.session.scalars(query)] == ["third"]


def host_of(planes: Planes, beginning: str) -> str:
    with planes.worker.app_context():
        query = db.select(LLMClientHost.hostname).where(
            LLMClientHost.hostname.startswith(beginning)
        )
        return str(db.session.scalars(query).one())


def visit(planes: Planes, host: str) -> int:
    base = f"http://{host}:{planes.settings.port}"
    return int(planes.serving.test_client().get("/", base_url=base).status_code)


def test_a_clone_has_the_configuration_and_nothing_else(
    planes: Planes, people: People, alice: Browser, path: str, run_jobs: RunJobs
) -> None:
    edited(alice, path, app_name="Museum", tags="press", annotations='{"a": 1}')
    alice.post(path + "deploy", {"confirm": "yes"})
    run_jobs()
    bob = people.browser(people.bob)
    form = bob.get(path + "clone").values("main form.card")
    assert form["name"] == "example-copy"
    created = bob.post(path + "clone", form)
    page = bob.follow(created)
    assert "example-copy is a copy of example. It is not deployed." in page.words
    with planes.worker.app_context():
        copy = db.session.scalars(db.select(LLMClient).order_by(LLMClient.id.desc())).first()
        assert copy.app_name == "Museum"
        assert [tag.name for tag in copy.tags] == ["press"]
        assert copy.annotations == {"a": 1}
        assert not copy.deployed
        assert copy.user_profile_id == people.bob.profile_id
        assert copy.published_revision_id is None


@pytest.mark.parametrize("name", ["", "example", "1st", "x" * 256, "a\x00b"])
def test_a_clone_needs_a_good_and_free_name(name: str, alice: Browser, path: str) -> None:
    page = alice.post(path + "clone", {"name": name}, expected=422)
    assert page.find("#name-error")
    assert page.find("section[role=alert] a[href='#name']")


def test_deleting_asks_for_the_name(
    planes: Planes, alice: Browser, path: str, run_jobs: RunJobs
) -> None:
    for typed in ("", "Example", "example-copy"):
        page = alice.post(path + "delete", {"confirm_name": typed}, expected=422)
        assert "Type example to delete it." in page.find("#confirm_name-error").get_text()
    page = alice.follow(alice.post(path + "delete", {"confirm_name": " example "}))
    assert "will be gone in a moment" in page.words
    assert not alice.get(path).html.select("#primary[href$=edit]")
    run_jobs()
    alice.get(path, 404)
    taken = alice.get("/llm-clients/new").values("main form.card")
    page = alice.post("/llm-clients/new", {**taken, "name": "example"}, expected=303)
    assert page.location, "its own account may take the address again"


def test_every_change_is_in_the_audit_log_without_secrets(
    planes: Planes, people: People, alice: Browser, path: str, run_jobs: RunJobs
) -> None:
    edited(alice, path, app_name="Museum")
    alice.post(path + "deploy", {"confirm": "yes"})
    run_jobs()
    edited(alice, path, app_name="Gallery")
    alice.post(path + "publish")
    alice.post(path + "revisions/1/restore")
    alice.post(path + "clone", {"name": "copy"})
    alice.post(path + "undeploy")
    run_jobs()
    alice.post(path + "delete", {"confirm_name": "example"})
    found = events(planes)
    assert [event.action for event in found] == [
        "edited",
        "deployed",
        "edited",
        "published",
        "restored",
        "cloned",
        "undeployed",
        "deleted",
    ]
    assert {event.user_id for event in found} == {people.alice.user_id}
    assert {event.account_id for event in found} == {people.alice.account_id}
    assert {event.address for event in found} == {"127.0.0.1"}
    assert found[0].before == {"app_name": ""}
    assert found[0].after == {"app_name": "Museum"}


def test_what_people_typed_is_text_and_never_markup(
    alice: Browser, make_client: MakeClient
) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    hashed_id = make_client("evil", description=evil, app_name=evil, app_welcome_message=evil)
    for page_path in ("", "edit", "clone", "delete", "deploy", "revisions", "revisions/1"):
        page = alice.get(f"/llm-clients/{hashed_id}/{page_path}")
        assert not page.html.select("img[src=x]")
        assert "alert(1)" not in "".join(tag.get_text() for tag in page.html.select("script"))
