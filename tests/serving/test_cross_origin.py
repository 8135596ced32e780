"""Which pages may read a client's answers, prompt it, and frame its chat."""

from __future__ import annotations

import pytest

from tests.serving.conftest import MakeVisitor, Visitor

SHOP, STRANGER = "https://shop.example", "https://stranger.example"
PROMPT = {"session_key": "", "messages": [{"role": "user", "content": "hello"}]}
COMPLETION = {"model": "demo", "messages": PROMPT["messages"]}


@pytest.fixture
def listed(make_visitor: MakeVisitor) -> Visitor:
    """A client that only the shop's pages may use."""
    return make_visitor(allowed_origins=[SHOP])


def allowed_origin(answer: object) -> str | None:
    found: str | None = answer.headers.get("Access-Control-Allow-Origin")  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("OPTIONS", "/prompt/?session_key=a", 200),
        ("OPTIONS", "/v1/chat/completions", 200),
        ("POST", "/config/", 200),
        ("POST", "/nowhere/", 404),
        ("DELETE", "/prompt/", 405),
        ("GET", "/v1/models", 200),
    ],
)
def test_answers_and_errors_name_an_allowed_origin_and_no_other(
    method: str, path: str, status: int, listed: Visitor
) -> None:
    answer = listed.ask(method, path, headers={"Origin": SHOP})
    assert answer.status_code == status
    assert allowed_origin(answer) == SHOP
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    answer = listed.ask(method, path, headers={"Origin": STRANGER})
    assert allowed_origin(answer) is None
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin", ["null", "https://shop.example.evil", "https://shop.example:444"]
)
def test_what_only_looks_like_an_allowed_origin_is_none(origin: str, listed: Visitor) -> None:
    assert allowed_origin(listed.ask("POST", "/config/", headers={"Origin": origin})) is None


def test_the_clients_own_pages_need_no_entry(listed: Visitor) -> None:
    answer = listed.ask("POST", "/prompt/", json=PROMPT, headers={"Origin": listed.base})
    assert answer.status_code == 200
    assert allowed_origin(answer) == listed.base


def test_programs_send_no_origin_and_are_answered(listed: Visitor) -> None:
    answer = listed.ask("POST", "/v1/chat/completions", json=COMPLETION)
    assert answer.status_code == 200
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/prompt/", {"json": PROMPT}),
        ("/v1/chat/completions", {"json": COMPLETION}),
        ("/stream", {"data": {"message": "hello"}}),
    ],
)
@pytest.mark.parametrize("on_platform", [False, True], ids=["own host", "platform"])
def test_a_prompt_of_a_foreign_page_is_refused_and_noted(
    path: str, sent: dict[str, object], on_platform: bool, listed: Visitor
) -> None:
    if on_platform:
        if path == "/stream":
            return
        base = f"http://{listed.planes.settings.platform_domain}"
        path = f"/api/v1/llm-clients/{listed.hashed_id}{path}"
        headers = {"Origin": STRANGER}
        answer = listed.client.post(path, base_url=base, headers=headers, **sent)
    else:
        answer = listed.ask("POST", path, headers={"Origin": STRANGER}, **sent)
    assert answer.status_code == 403
    assert "origin" in answer.get_json()["error"]["message"]
    [row] = listed.rows()
    assert (row.status, row.error_code, row.answer_preview) == (403, "refused", "")


def test_a_form_of_a_foreign_page_gets_a_page(listed: Visitor) -> None:
    answer = listed.ask("POST", "/", data={"message": "hello"}, headers={"Origin": STRANGER})
    assert answer.status_code == 403
    assert "Not from this page" in answer.get_data(as_text=True)
    assert [row.status for row in listed.rows()] == [403]


def frames(visitor: Visitor, path: str) -> str:
    policy = visitor.ask("GET", path).headers["Content-Security-Policy"]
    assert "script-src 'self'; style-src 'self';" in policy
    [directive] = [part.strip() for part in policy.split(";") if "frame-ancestors" in part]
    return directive.removeprefix("frame-ancestors ")


def test_the_chat_page_is_framed_by_the_listed_pages_alone(listed: Visitor) -> None:
    assert frames(listed, "/") == f"'self' {SHOP}"
    assert "X-Frame-Options" not in listed.ask("GET", "/").headers


def test_without_a_list_nobody_frames_the_plain_chat_page(visitor: Visitor) -> None:
    assert frames(visitor, "/") == "'none'"
    assert frames(visitor, "/robots.txt") == "'none'"
