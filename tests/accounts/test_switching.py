"""Several accounts for one person, light and dark, and the person who has no account."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.accounts.models import Account, Role, User, UserProfile
from portal.database import db
from tests.people import MakeClient, People
from tests.planes import Planes


@pytest.fixture
def alice_in_both(planes: Planes, people: People) -> People:
    """Alice looks on in the stranger's account, too."""
    with planes.worker.app_context():
        db.session.add(
            UserProfile(
                user_id=people.alice.user_id, account_id=people.charlie.account_id, role=Role.VIEWER
            )
        )
        db.session.commit()
    return people


def test_the_switcher_leads_into_the_other_account(
    alice_in_both: People, make_client: MakeClient
) -> None:
    people = alice_in_both
    own, other = make_client("own"), make_client("charlies", people.charlie)
    alice = people.browser(people.alice)
    page = alice.get("/llm-clients/")
    assert "own" in page.find("tbody").get_text()
    choices = page.find("details.account").select("form")
    assert [form.select_one("button").get_text(" ").split()[0] for form in choices] == [
        "Birkenhof",
        "Elsewhere",
    ]
    alice.post("/account/switch", {"account_id": str(people.charlie.account_id)})
    page = alice.get("/llm-clients/")
    assert "charlies" in page.find("tbody").get_text()
    alice.get(f"/llm-clients/{other}/", 200)
    alice.get(f"/llm-clients/{own}/", 404)
    alice.get(f"/llm-clients/{other}/edit", 403)


def test_an_account_without_a_profile_is_not_there(people: People) -> None:
    alice = people.browser(people.alice)
    for wanted in (str(people.charlie.account_id), "999", "x", ""):
        alice.post("/account/switch", {"account_id": wanted}, expected=404)
    assert not alice.get("/").html.select("details.account"), "one account needs no switcher"


def test_losing_the_profile_leads_back_to_the_own_account(
    planes: Planes, alice_in_both: People
) -> None:
    people = alice_in_both
    alice = people.browser(people.alice)
    alice.post("/account/switch", {"account_id": str(people.charlie.account_id)})
    with planes.worker.app_context():
        db.session.execute(
            db.delete(UserProfile).where(
                UserProfile.user_id == people.alice.user_id,
                UserProfile.account_id == people.charlie.account_id,
            )
        )
        db.session.commit()
    assert "Birkenhof Media" in alice.get("/").words


def test_a_person_without_an_active_account_reads_why(planes: Planes, people: People) -> None:
    charlie = people.browser(people.charlie)
    with planes.worker.app_context():
        db.session.get_one(Account, people.charlie.account_id).is_active = False
        db.session.commit()
    for path in ("/", "/llm-clients/", "/account/sessions"):
        page = charlie.get(path, 403)
        assert "no active account" in page.words


@pytest.mark.parametrize(("chosen", "kept"), [("dark", "dark"), ("light", "light"), ("", None)])
def test_the_theme_is_kept_with_the_person(chosen: str, kept: str | None, people: People) -> None:
    people.browser(people.alice).post("/theme", {"theme": "dark"})
    people.browser(people.alice).post("/theme", {"theme": chosen})
    page = people.browser(people.alice).get("/")
    assert page.find("html").get("data-bs-theme") == kept
    pressed = page.html.select("form.theme button[aria-pressed=true]")
    assert [button["value"] for button in pressed] == [chosen]


def test_a_theme_that_does_not_exist_is_the_systems(
    planes: Planes, people: People, database: Callable[..., None] | None
) -> None:
    people.browser(people.alice).post("/theme", {"theme": '"><script>'})
    assert db.session.get_one(User, people.alice.user_id).theme == ""


def test_without_script_the_theme_leads_back_to_the_page(people: People) -> None:
    alice = people.browser(people.alice)
    page = alice.get("/requests/?status=failed")
    assert alice.post("/theme", page.values("form.theme")).location == "/requests/?status=failed"
