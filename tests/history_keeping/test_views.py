"""The pages of what is kept: how long, what is hidden, what is erased."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.accounts.models import Account, AuditEvent
from portal.database import db
from portal.history_keeping.models import HistoryErasure
from portal.request_history.models import LLMClientRequests, RequestBody
from tests.history_keeping.conftest import Asked
from tests.people import Browser, People

SESSION = "a" * 64


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def save(alice: Browser, expected: int = 303, **values: Any) -> Any:
    form = alice.get("/requests/keeping/edit").values()
    return alice.post("/requests/keeping/edit", {**form, **values}, expected)


def test_what_is_kept_is_changed_and_noted(account: Account, alice: Browser) -> None:
    page = alice.follow(
        save(alice, bodies_days="7", rows_days="90", kinds=["mail"], own="customer ######\n\n")
    )
    assert "7 days" in page.words
    assert "Mail addresses" in page.words
    assert "customer ######" in page.words
    db.session.refresh(account)
    assert (account.request_bodies_days, account.request_rows_days) == (7, 90)
    assert account.redaction == {"kinds": ["mail"], "own": ["customer ######"]}
    event = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, (event.after or {})["bodies_days"]) == ("keeping changed", 7)


WRONG = {
    "no number": {"bodies_days": "x"},
    "none": {"bodies_days": "0"},
    "too many": {"rows_days": "99999999999999999999"},
    "rows shorter than words": {"bodies_days": "50", "rows_days": "20"},
    "words that hide everything": {"own": "a*"},
    "too many words": {"own": "\n".join(f"word {number}" for number in range(30))},
    "no such kind": {"kinds": ["everything"]},
}


@pytest.mark.parametrize("values", WRONG.values(), ids=list(WRONG))
def test_what_makes_no_sense_is_refused_and_stays_in_the_form(
    account: Account, alice: Browser, values: dict[str, Any]
) -> None:
    page = save(alice, 422, **values)
    assert page.html.select_one("section.notice[role=alert]")
    for name in values.keys() - {"kinds"}:
        field = page.find(f"[name={name}]")
        assert str(values[name]) in (field.get("value") or field.get_text())
    db.session.refresh(account)
    assert (account.request_bodies_days, account.request_rows_days) == (30, 100)


def test_a_prompt_is_written_without_what_is_hidden(
    account: Account, alice: Browser, run_jobs: Callable[..., int]
) -> None:
    save(alice, kinds=["mail"], own="")
    client = str(alice.get("/llm-clients/").find("tbody .name > a")["href"])
    sandbox = client.replace("/llm-clients/", "/workbench/llm-clients/")
    alice.post(sandbox, {**alice.get(sandbox).values(), "message": "I am anna@example.org"})
    body = db.session.scalars(db.select(RequestBody)).one()
    assert body.request["message"] == "I am [mail]"
    assert "anna@example.org" not in repr((body.request, body.response))
    row = db.session.scalars(db.select(LLMClientRequests)).one()
    assert row.question_preview == "I am [mail]"


@pytest.mark.parametrize("kind", ["session", "visitor", "client"])
def test_erasing_wants_the_name_and_shows_how_far_it_is(
    kind: str, account: Account, alice: Browser, asked: Asked, run_jobs: Callable[..., int]
) -> None:
    asked(1, session=SESSION)
    hashed_id = str(alice.get("/llm-clients/").find("tbody .name > a")["href"]).split("/")[2]
    name = "example" if kind == "client" else SESSION[:8]
    path = f"/requests/keeping/erase/{kind}/{hashed_id if kind == 'client' else SESSION}"
    refused = alice.post(path, {**alice.get(path).values(), "confirm_name": "wrong"}, 422)
    assert f"Type {name} to erase it." in refused.words
    answer = alice.post(path, {**alice.get(path).values(), "confirm_name": name})
    assert "Erasing" in alice.follow(answer).words
    run_jobs()
    page = alice.get("/requests/keeping/")
    assert "1 request erased" in page.words
    assert "Erasing" not in page.words
    assert db.session.scalars(db.select(LLMClientRequests.id)).all() == []
    assert db.session.scalars(db.select(HistoryErasure.subject)).all() == [""]


def test_strangers_and_members_erase_nothing(
    account: Account, people: People, asked: Asked
) -> None:
    asked(1, session=SESSION)
    people.browser(people.charlie).get(f"/requests/keeping/erase/session/{SESSION}", 404)
    people.browser(people.bob).get("/requests/keeping/", 403)
