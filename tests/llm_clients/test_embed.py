"""A client's tab "Embed": its code is real, its list of origins is kept and told."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from portal.accounts.models import AuditEvent
from portal.database import db
from portal.llm_clients.cloning import clone
from portal.llm_clients.models import LLMClient
from tests.people import Browser, MakeClient, Page, People

Stored = Callable[[str], LLMClient]


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def code(page: Page) -> dict[str, str]:
    return {str(pre["aria-label"]): pre.get_text() for pre in page.html.select("pre.code")}


def test_the_code_carries_the_real_address(
    alice: Browser, make_client: MakeClient, stored: Stored
) -> None:
    hashed_id = make_client("guide", app_name='The "Museum" & <co>')
    page = alice.get(f"/llm-clients/{hashed_id}/embed")
    found = code(page)
    assert list(found) == [
        "Widget, floating",
        "Widget, inline",
        "Frame",
        "React chat component",
        "curl",
        "Python",
        "JavaScript",
    ]
    url = stored(hashed_id).default_url
    assert all(url in text for text in found.values())
    assert len(page.html.select("[data-copy]")) >= 7
    ast.parse(found["Python"])
    assert (
        'data-label="Chat with The &quot;Museum&quot; &amp; &lt;co&gt;"'
        in found["Widget, floating"]
    )
    assert "is not deployed yet" in page.words
    assert "YOUR_API_KEY" not in page.text


def test_where_a_key_is_needed_the_code_has_its_place(
    alice: Browser, make_client: MakeClient
) -> None:
    hashed_id = make_client("guide")
    alice.post("/api-keys/new", {"name": "site", "expiry": "never", "clients": [hashed_id]}, 200)
    page = alice.get(f"/llm-clients/{hashed_id}/embed")
    for title in ("curl", "Python", "JavaScript", "React chat component"):
        assert "YOUR_API_KEY" in code(page)[title]
    assert "can be read by everybody" in page.words


def test_origins_are_kept_as_browsers_write_them_and_noted(
    alice: Browser, make_client: MakeClient, stored: Stored
) -> None:
    hashed_id = make_client("guide")
    path = f"/llm-clients/{hashed_id}/embed"
    typed = "https://Shop.example/\n\nhttps://shop.example:443\nhttps://bücher.example\n"
    page = alice.follow(alice.post(path, {"allowed_origins": typed}))
    assert "Only pages of 2 origins" in page.words
    kept = ["https://shop.example", "https://xn--bcher-kva.example"]
    assert page.values("main form")["allowed_origins"].split() == kept
    row = stored(hashed_id)
    assert row.allowed_origins == kept
    assert clone(row).allowed_origins == kept
    db.session.rollback()
    [event] = events()
    assert event.before == {"allowed_origins": []}
    assert event.after == {"allowed_origins": kept}
    alice.post(path, {"allowed_origins": typed})
    assert len(events()) == 1
    page = alice.follow(alice.post(path, {"allowed_origins": ""}))
    assert "any origin" in page.words
    assert stored(hashed_id).allowed_origins == []
    assert stored(hashed_id).newest_revision_number == 1


def events() -> list[AuditEvent]:
    query = db.select(AuditEvent).where(AuditEvent.action == "allowed_origins_changed")
    found = list(db.session.scalars(query))
    db.session.expunge_all()
    db.session.rollback()
    return found


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("http://shop.example", "must start with https://"),
        ("https://a.example\n*", "wildcard"),
        ("\n".join(f"https://{n}.example" for n in range(21)), "At most 20"),
        ("https://a\x00.example", "not an origin"),
        ("<script>", "scheme and host"),
    ],
)
def test_a_wrong_line_is_told_beside_the_field(
    typed: str, sentence: str, alice: Browser, make_client: MakeClient, stored: Stored
) -> None:
    hashed_id = make_client("guide")
    page = alice.post(f"/llm-clients/{hashed_id}/embed", {"allowed_origins": typed}, 422)
    page.obeys_the_house()
    assert sentence in page.find("#allowed_origins-error").get_text()
    assert page.html.title is not None
    assert page.html.title.get_text().startswith("Error: ")
    assert stored(hashed_id).allowed_origins == []


def test_viewers_read_the_page_and_strangers_do_not(
    people: People, make_client: MakeClient
) -> None:
    hashed_id = make_client("guide", allowed_origins=["https://shop.example"])
    path = f"/llm-clients/{hashed_id}/embed"
    vera = people.browser(people.vera)
    page = vera.get(path)
    assert "https://shop.example" in page.words
    assert not page.html.select("main form textarea")
    vera.post(path, {"allowed_origins": ""}, 403)
    people.browser(people.bob).post(path, {"allowed_origins": ""}, 403)
    people.browser(people.charlie).get(path, 404)
    people.browser(people.charlie).post(path, {"allowed_origins": ""}, 404)
