"""What somebody tried and did not get is in the log, without what they typed (ASVS 16.3.3)."""

from __future__ import annotations

import pytest

from tests.people import Browser, People
from tests.planes import Planes

SECRET = "what-nobody-should-read"


def refused(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record.getMessage() for record in caplog.records]
    assert SECRET not in "".join(lines)
    return [line for line in lines if line.startswith("refused with")]


@pytest.mark.parametrize(
    ("path", "values", "status", "endpoint"),
    [
        ("/settings/", {"company_name": "", "timezone": SECRET}, 422, "settings.index"),
        ("/theme", {"csrf_token": SECRET}, 400, "accounts.theme"),
        ("/users/{bob}/", {"role": SECRET}, 422, "users.edit"),
        ("/accounts/new", {"company_name": SECRET}, 403, "platform.new"),
    ],
)
def test_a_refused_form_is_a_line_with_who_what_and_from_where(
    path: str,
    values: dict[str, str],
    status: int,
    endpoint: str,
    people: People,
    caplog: pytest.LogCaptureFixture,
) -> None:
    alice = people.browser(people.alice)
    token = alice.token()
    caplog.clear()
    sent = {"csrf_token": token, **values}
    answer = alice.raw("POST", path.format(bob=people.bob.profile_id), data=sent)
    assert answer.status_code == status
    [line] = refused(caplog)
    who, reference = people.alice.user_id, answer.headers["X-Request-ID"]
    expected = f"refused with {status}: POST {endpoint}, user {who}, from 127.0.0.1"
    assert line == f"{expected}, reference {reference}"


def test_a_wrong_password_and_too_many_of_them_are_lines(
    people: People, caplog: pytest.LogCaptureFixture
) -> None:
    browser: Browser = people.browser()
    for _ in range(11):
        browser.raw("POST", "/login", data={**browser.get("/login").values(), **WRONG})
    lines = refused(caplog)
    assert len(lines) == 11
    assert "refused with 401: POST accounts.sign_in, nobody, from 127.0.0.1" in lines[0]
    assert "refused with 429: POST accounts.sign_in" in lines[-1]


WRONG = {"username": "alice", "password": SECRET}


def test_a_token_that_opens_nothing_is_a_line(
    planes: Planes, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Authorization": f"Bearer {SECRET}"}
    base = planes.settings.platform_url
    answer = planes.api.test_client().get("/api/v1/clients/", base_url=base, headers=headers)
    assert answer.status_code == 401
    assert len(refused(caplog)) == 1


def test_what_is_answered_is_no_line(people: People, caplog: pytest.LogCaptureFixture) -> None:
    people.browser(people.alice).get("/users/")
    assert refused(caplog) == []
