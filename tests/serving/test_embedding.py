"""The script and the framed page as HTTP: what is cached, framed, kept and recorded."""

from __future__ import annotations

from tests.serving.conftest import MakeVisitor, Visitor, close
from tests.serving.keys import make_key

SHOP = "https://shop.example"


def frames(visitor: Visitor, path: str) -> str:
    policy = visitor.ask("GET", path).headers["Content-Security-Policy"]
    return str(policy.rpartition("frame-ancestors ")[2])


def test_the_script_is_kept_for_a_short_time_and_asked_for_again_by_its_mark(
    visitor: Visitor,
) -> None:
    answer = visitor.ask("GET", "/embed.js")
    assert answer.content_type == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert len(answer.data) < 8_000
    again = visitor.ask("GET", "/embed.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert visitor.rows() == []


def test_the_script_of_a_closed_client_does_nothing_and_is_not_kept(visitor: Visitor) -> None:
    close(visitor)
    answer = visitor.ask("GET", "/embed.js")
    assert answer.status_code == 200
    assert answer.data.startswith(b"// ")
    assert answer.data.count(b"\n") == 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert visitor.ask("GET", "/embed").status_code == 503


def test_an_unknown_host_has_no_script(visitor: Visitor) -> None:
    answer = visitor.client.get("/embed.js", base_url="http://nobody.localhost")
    assert answer.status_code == 404


def test_a_client_with_a_key_has_a_script_and_a_page_that_says_so(visitor: Visitor) -> None:
    make_key(visitor)
    assert visitor.ask("GET", "/embed.js").status_code == 200
    page = visitor.ask("GET", "/embed")
    assert page.status_code == 401
    assert "A key is needed" in page.get_data(as_text=True)
    assert frames(visitor, "/embed") == "*"


def test_who_may_frame_the_embedded_page(make_visitor: MakeVisitor) -> None:
    assert frames(make_visitor("open"), "/embed") == "*"
    assert frames(make_visitor("listed", allowed_origins=[SHOP]), "/embed") == f"'self' {SHOP}"


def test_the_frames_session_is_a_cookie_that_is_kept_apart(visitor: Visitor) -> None:
    [cookie] = visitor.ask("GET", "/embed").headers.getlist("Set-Cookie")
    assert cookie.startswith("chat_session_embedded=")
    for word in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/embed"):
        assert word in cookie
    [gone] = visitor.ask("POST", "/embed/new-chat").headers.getlist("Set-Cookie")
    assert gone.startswith("chat_session_embedded=;")
    assert "Max-Age=0" in gone
    assert "Partitioned" in gone


def test_a_prompt_from_a_frame_has_one_row_answered_or_refused(make_visitor: MakeVisitor) -> None:
    visitor = make_visitor(allowed_origins=[SHOP])
    page = visitor.ask("POST", "/embed", data={"message": "hello"})
    assert "You asked: “hello”" in page.get_data(as_text=True)
    assert visitor.ask("POST", "/embed", data={"message": " "}).status_code == 400
    stranger = {"Origin": "https://stranger.example"}
    refused = visitor.ask("POST", "/embed", data={"message": "hello"}, headers=stranger)
    assert refused.status_code == 403
    assert [row.status for row in visitor.rows()] == [200, 400, 403]
