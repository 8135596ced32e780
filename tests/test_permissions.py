"""The table of who may do what is what the routes declare, and what the answers say."""

from __future__ import annotations

import pytest

from portal.web import ADMIN, MEMBER, SIGNED_IN, SUPERUSER, VIEWER, permission_table
from tests.people import People
from tests.permission_table import TARGET, written
from tests.planes import Planes
from tests.sampling import some_short

RANK = {SIGNED_IN: 0, VIEWER: 1, MEMBER: 2, ADMIN: 3, SUPERUSER: 4}


def test_the_document_says_what_the_routes_declare(planes: Planes) -> None:
    table = written(planes.admin, planes.serving, planes.internal, planes.api)
    assert TARGET.read_text() == table, "run: python -m tests.permission_table"


@pytest.mark.parametrize("steps", some_short([1, len(RANK)], one_in=2))
def test_every_page_without_a_parameter_answers_each_role_as_the_table_says(
    steps: int, planes: Planes, people: People
) -> None:
    """In the short part the least role that is let in and the one below it."""
    roles = {VIEWER: people.vera, MEMBER: people.bob, ADMIN: people.alice}
    browsers = {role: people.browser(person) for role, person in roles.items()}
    checked = 0
    for route in permission_table(planes.admin):
        if "GET" not in route.methods or "<" in route.path or route.least not in RANK:
            continue
        for role, browser in browsers.items():
            if not -steps <= RANK[role] - max(RANK[VIEWER], RANK[route.least]) < steps:
                continue
            refused = browser.raw("GET", route.path).status_code == 403
            assert refused == (RANK[role] < RANK[route.least]), f"{route.path} as {role}"
            checked += 1
    assert checked > 40


def test_a_form_is_refused_before_it_is_read(planes: Planes, people: People) -> None:
    vera = people.browser(people.vera)
    token = vera.token()
    for route in permission_table(planes.admin):
        if "POST" in route.methods and "<" not in route.path and route.least in (MEMBER, ADMIN):
            answer = vera.raw("POST", route.path, data={"csrf_token": token})
            assert answer.status_code == 403, route.path
