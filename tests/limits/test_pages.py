"""Limits as people set them: by role, what was typed is kept, in force from the next prompt on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from portal.accounts.models import AuditEvent
from portal.app import create_serving_app
from portal.database import db
from portal.limits.models import BudgetUse, Limits
from portal.llm_clients.models import LLMClient
from portal.vault.models import AuthToken
from tests.limits.conftest import Program, SetLimits
from tests.model_server import MODEL, ModelServer, completion
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor, Visitor
from tests.serving.keys import make_key

CLIENT: dict[str, Any] = {
    "day_tokens": "1,000",
    "day_micros": "0.50",
    "month_tokens": "30000",
    "month_micros": "12",
    "reached_words": "Closed for today.",
    "cheaper_provider": "",
    "cheaper_model": "",
    "address_rate": "5",
    "session_rate": "4",
    "concurrent": "3",
}


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


@pytest.fixture
def guide(make_visitor: MakeVisitor, model_server: ModelServer) -> Visitor:
    return make_visitor(provider="vendor", default_model=MODEL, default_max_tokens=20)


def path_of(visitor: Visitor) -> str:
    return f"/llm-clients/{visitor.hashed_id}/limits"


def rows(planes: Planes) -> list[Limits]:
    with planes.worker.app_context():
        return list(db.session.scalars(db.select(Limits).order_by(Limits.id)))


def events(planes: Planes) -> list[AuditEvent]:
    with planes.worker.app_context():
        query = db.select(AuditEvent).where(AuditEvent.action == "limits_changed")
        return list(db.session.scalars(query.order_by(AuditEvent.id)))


def key_path(visitor: Visitor, planes: Planes) -> str:
    make_key(visitor)
    with planes.worker.app_context():
        return f"/api-keys/{db.session.scalars(db.select(AuthToken.id)).one()}"


def test_a_clients_limits_are_stored_and_shown(
    planes: Planes, alice: Browser, guide: Visitor
) -> None:
    page = alice.follow(alice.post(f"{path_of(guide)}/edit", CLIENT))
    assert "The limits of guide are saved. It holds from the next prompt on." in page.words
    assert "0 of 1,000 tokens" in page.words
    assert "US$ 0.00 of US$ 0.50" in page.words
    assert "5 prompts a minute" in page.words
    assert "Closed for today." in page.words
    (row,) = rows(planes)
    assert (row.day_tokens, row.day_micros) == (1_000, 500_000)
    assert (row.month_tokens, row.month_micros) == (30_000, 12_000_000)
    assert (row.address_rate, row.session_rate, row.concurrent) == (5, 4, 3)
    values = alice.get(f"{path_of(guide)}/edit").values()
    assert values["day_tokens"] == "1,000"
    assert values["day_micros"] == "0.50"
    assert values["month_micros"] == "12.00"


def test_an_emptied_field_is_the_default_again(
    planes: Planes, alice: Browser, guide: Visitor
) -> None:
    alice.post(f"{path_of(guide)}/edit", CLIENT)
    alice.post(f"{path_of(guide)}/edit", dict.fromkeys(CLIENT, ""))
    (row,) = rows(planes)
    assert (row.day_tokens, row.address_rate, row.reached_words) == (None, None, "")
    page = alice.get(path_of(guide))
    assert "60 prompts a minute (the default)" in page.words
    assert "0 of 1,000,000 tokens" in page.words
    assert "The default of a client that answers callers without a key." in page.words


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("day_tokens", "many", "whole number"),
        ("day_tokens", "-1", "whole number"),
        ("day_tokens", "1.5", "whole number"),
        ("day_tokens", "1" * 40, "whole number"),
        ("day_tokens", "²", "whole number"),
        ("month_tokens", "1000000000000001", "whole number"),
        ("day_micros", "ten", "an amount, such as"),
        ("day_micros", "NaN", "from 0 to"),
        ("day_micros", "Infinity", "from 0 to"),
        ("day_micros", "1e30", "from 0 to"),
        ("day_micros", "-0.01", "from 0 to"),
        ("day_micros", "0.0000001", "six decimals"),
        ("month_micros", "1000000001", "from 0 to"),
        ("address_rate", "0", "from 1 to 100,000"),
        ("session_rate", "100001", "from 1 to 100,000"),
        ("concurrent", "0", "from 1 to 10,000"),
        ("reached_words", "a" * 1_001, "at most 1,000"),
        ("cheaper_provider", "nobody", "choice"),
    ],
)
def test_what_cannot_be_is_told_and_stays_as_typed(
    planes: Planes, alice: Browser, guide: Visitor, field: str, typed: str, told: str
) -> None:
    page = alice.post(f"{path_of(guide)}/edit", {**CLIENT, field: typed}, expected=422)
    page.obeys_the_house()
    assert told in page.find(f"#{field}-error").get_text()
    assert page.find(".error-summary, [role=alert]")
    values = page.values()
    kept = {**CLIENT, field: typed}
    if field == "cheaper_provider":
        del kept[field]
    assert {name: values[name] for name in kept} == kept
    assert rows(planes) == []
    assert events(planes) == []


def test_a_cheaper_model_needs_a_name_or_its_providers_default(
    planes: Planes, alice: Browser, guide: Visitor, second_server: ModelServer
) -> None:
    alice.post(f"{path_of(guide)}/edit", {**CLIENT, "cheaper_provider": "spare"})
    assert rows(planes)[0].cheaper_model == MODEL
    assert f"{MODEL} of spare" in alice.get(path_of(guide)).words
    alice.post(f"{path_of(guide)}/edit", {**CLIENT, "cheaper_model": "left over"})
    assert rows(planes)[0].cheaper_model == ""


def test_each_change_is_one_event_and_no_change_is_none(
    planes: Planes, alice: Browser, guide: Visitor, people: People
) -> None:
    alice.post(f"{path_of(guide)}/edit", CLIENT)
    alice.post(f"{path_of(guide)}/edit", CLIENT)
    alice.post(f"{path_of(guide)}/edit", {**CLIENT, "day_tokens": "2000"})
    first, second = events(planes)
    assert (first.object_type, first.object_id, first.user_id) == (
        "LLMClient",
        guide.client_id,
        people.alice.user_id,
    )
    assert (second.before, second.after) == ({"day_tokens": 1_000}, {"day_tokens": 2_000})


def test_the_accounts_limits_are_an_admins(planes: Planes, people: People, alice: Browser) -> None:
    page = alice.follow(alice.post("/limits/account", {"month_micros": "1,250", "concurrent": "9"}))
    assert "US$ 0.00 of US$ 1,250.00" in page.words
    (row,) = rows(planes)
    assert (row.kind, row.subject_id) == ("account", people.alice.account_id)
    assert (row.month_micros, row.concurrent) == (1_250_000_000, 9)
    assert events(planes)[0].object_type == "Account"
    for person in (people.bob, people.vera):
        browser = people.browser(person)
        assert "US$ 1,250.00" in browser.get("/limits/").words
        assert not browser.get("/limits/").html.select("main a[href='/limits/account']")
        browser.get("/limits/account", 403)
        browser.post("/limits/account", {"month_micros": "1"}, 403)
    assert "1,250" not in people.browser(people.charlie).get("/limits/").words
    page = alice.post("/limits/account", {"day_tokens": "some", "concurrent": "9"}, 422)
    assert page.values()["day_tokens"] == "some"


def test_a_keys_limits_are_an_admins(
    planes: Planes, people: People, alice: Browser, guide: Visitor
) -> None:
    path = key_path(guide, planes)
    alice.post(f"{path}/limits", {"day_tokens": "500", "key_rate": "7"})
    (row,) = rows(planes)
    assert (row.kind, row.day_tokens, row.key_rate) == ("key", 500, 7)
    assert events(planes)[0].object_type == "AuthToken"
    assert "program" in alice.get("/limits/").words
    for person in (people.bob, people.vera):
        people.browser(person).get(f"{path}/limits", 403)
        people.browser(person).post(f"{path}/limits", {"key_rate": "1"}, 403)
    page = alice.post(f"{path}/limits", {"key_rate": "0"}, 422)
    assert page.values()["key_rate"] == "0"
    assert "from 1 to 100,000" in page.find("#key_rate-error").get_text()


def test_members_change_their_own_clients_and_viewers_read(
    planes: Planes, people: People, guide: Visitor, make_client: MakeClient
) -> None:
    bob, vera = people.browser(people.bob), people.browser(people.vera)
    bobs = f"/llm-clients/{make_client('bobs', owner=people.bob)}/limits"
    for browser in (bob, vera):
        page = browser.get(path_of(guide))
        assert not page.html.select(f"main a[href='{path_of(guide)}/edit']")
        browser.get(f"{path_of(guide)}/edit", 403)
        browser.post(f"{path_of(guide)}/edit", CLIENT, 403)
    assert rows(planes) == []
    bob.follow(bob.post(f"{bobs}/edit", CLIENT))
    assert bob.get(bobs).html.select(f"main a[href='{bobs}/edit']")
    vera.get(f"{bobs}/edit", 403)
    assert len(rows(planes)) == 1


def test_to_a_stranger_nothing_of_it_is_there(
    planes: Planes, people: People, guide: Visitor
) -> None:
    charlie, key = people.browser(people.charlie), key_path(guide, planes)
    for path in (path_of(guide), f"{path_of(guide)}/edit", f"{key}/limits"):
        charlie.get(path, 404)
    charlie.post(f"{path_of(guide)}/edit", CLIENT, 404)
    charlie.post(f"{key}/limits", {"key_rate": "1"}, 404)
    assert rows(planes) == []
    nobody = people.browser()
    assert "/login" in nobody.get("/limits/", 303).location
    assert "/login" in nobody.get(path_of(guide), 303).location


def test_nothing_is_changed_without_the_token(planes: Planes, alice: Browser) -> None:
    answer = alice.raw("POST", "/limits/account", data={"day_tokens": "1"})
    assert answer.status_code in (400, 403)
    assert rows(planes) == []


@pytest.fixture
def another_process(planes: Planes) -> Iterator[Flask]:
    made = create_serving_app(planes.settings)
    yield made
    with made.app_context():
        db.engine.dispose()


def test_a_change_holds_from_the_next_prompt_on_in_every_process(
    alice: Browser, guide: Visitor, another_process: Flask
) -> None:
    def ask(app: Flask) -> int:
        body = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}
        url = "/v1/chat/completions"
        return app.test_client().post(url, base_url=guide.base, json=body).status_code

    apps = (guide.planes.serving, another_process)
    assert [ask(app) for app in apps] == [200, 200]
    alice.post(f"{path_of(guide)}/edit", {"day_tokens": "1"})
    assert [ask(app) for app in apps] == [429, 429]
    alice.post(f"{path_of(guide)}/edit", {"day_tokens": "10000"})
    assert [ask(app) for app in apps] == [200, 200]
    alice.post("/limits/account", {"month_tokens": "1"})
    assert [ask(app) for app in apps] == [429, 429]
    alice.post("/limits/account", {"month_tokens": ""})
    alice.post(f"{path_of(guide)}/edit", {"address_rate": "1"})
    assert [ask(app) for app in apps] == [429, 429], "the prompts so far count"


def test_meters_show_what_is_used_and_the_index_names_the_fullest_first(
    alice: Browser,
    guide: Visitor,
    make_visitor: MakeVisitor,
    model_server: ModelServer,
    set_limits: SetLimits,
) -> None:
    other = make_visitor("other", provider="vendor", default_model=MODEL)
    set_limits("client", other.client_id, day_tokens=100_000)
    set_limits("client", guide.client_id, day_tokens=100)
    assert Program(guide).statuses(5) == [200] * 5
    page = alice.get(path_of(guide))
    assert "45 of 100 tokens" in page.words
    assert "45% used" in page.words
    assert page.find("progress.meter")["value"] == "45"
    assert fullest(alice.get("/limits/")) == ["guide", "other"]
    assert "refused" not in alice.get("/limits/").words
    model_server.plays(completion(tokens=(40, 2)))
    assert Program(guide).statuses(2) == [200, 429]
    index = alice.get("/limits/")
    assert "prompts were refused in this period" in index.words
    looks = [str(meter["class"]) for meter in index.html.select("main progress")]
    assert ["attention" in look for look in looks] == [True, False]


def fullest(page: Page) -> list[str]:
    return [link.get_text() for link in page.html.select("main section .rows a")]


def test_a_deleted_client_leaves_no_limits_to_the_next_one(
    planes: Planes,
    alice: Browser,
    guide: Visitor,
    set_limits: SetLimits,
    run_jobs: Callable[..., int],
) -> None:
    set_limits("client", guide.client_id, day_tokens=10_000)
    Program(guide).ask()
    alice.post(f"/llm-clients/{guide.hashed_id}/delete", {"confirm_name": "guide"})
    run_jobs()
    with planes.worker.app_context():
        assert db.session.get(LLMClient, guide.client_id) is None
        assert db.session.scalars(db.select(BudgetUse)).all() == []
    assert rows(planes) == []
    alice.get("/limits/")
