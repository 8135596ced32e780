"""Of the same parameter twice the first counts; address and form are not mixed up (15.3.7)."""

from __future__ import annotations

import ast

import pytest

from portal.accounts.models import User
from portal.database import db
from tests.people import People
from tests.planes import Planes
from tests.syntax import modules, nodes_of


def test_the_first_of_two_in_an_address_counts(people: People) -> None:
    alice = people.browser(people.alice)

    def names(query: str) -> list[str]:
        rows = alice.get(f"/users/?{query}").html.select("tbody tr th .inline")
        return [row.get_text() for row in rows]

    assert names("after=bob") == names("after=bob&after=alice") == ["vera"]
    assert names("after=alice&after=bob") == ["bob", "vera"]


def test_the_first_of_two_in_a_form_counts(planes: Planes, people: People) -> None:
    alice = people.browser(people.alice)
    sent = {"csrf_token": alice.token(), "theme": ["dark", "light"]}
    assert alice.raw("POST", "/theme?theme=light", data=sent).status_code == 303
    with planes.worker.app_context():
        assert db.session.get_one(User, people.alice.user_id).theme == "dark"


def test_an_address_is_no_form(planes: Planes, people: People) -> None:
    """What a form has to carry is not taken out of the address."""
    alice = people.browser(people.alice)
    path = f"/users/{people.bob.profile_id}/?role=admin"
    answer = alice.raw("POST", path, data={"csrf_token": alice.token()})
    assert answer.status_code in (303, 422)
    alice.raw("POST", "/theme?theme=light", data={"csrf_token": alice.token()})
    with planes.worker.app_context():
        assert db.session.get_one(User, people.alice.user_id).theme == ""
        bob = db.session.get_one(User, people.bob.user_id)
        assert [str(profile.role) for profile in bob.profiles] == ["member"]


@pytest.mark.engine_independent
def test_no_code_mixes_address_and_form() -> None:
    """`request.values` would."""
    for path in modules():
        for node in nodes_of(path):
            if isinstance(node, ast.Attribute) and node.attr == "values":
                assert ast.unparse(node.value) != "request", path
