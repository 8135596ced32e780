"""Files that go with a message: text only, by what they hold, bounded, in a fence of their own."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from portal.serving.attachments import (
    EMPTY,
    NOT_TAKEN,
    TOO_LONG,
    TOO_MANY,
    AttachmentRefused,
    SentFile,
    clean_name,
    fenced,
    text_of,
)
from tests.people import Page
from tests.serving.conftest import MakeVisitor, Visitor

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        ("Grüße".encode(), "Grüße"),
        ("Grüße".encode("utf-8-sig"), "Grüße"),
        ("Grüße".encode("utf-16"), "Grüße"),
        (b"\xfe\xff" + "Grüße".encode("utf-16-be"), "Grüße"),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_text_is_known_by_its_content(octets: bytes, text: str) -> None:
    for name in ("notes.txt", "notes.png", "notes"):
        assert text_of(SentFile(name, octets)) == text


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (PNG, "a.txt is not a text file."),
        (b"text with \0 in it", "a.txt is not a text file."),
        ("Grüße".encode("latin-1"), "a.txt is not a text file."),
        ("no mark".encode("utf-16-le"), "a.txt is not a text file."),
        (b"\xff\xfe\x00", "a.txt is not a text file."),
        (b"", "a.txt is empty."),
        (b"\xef\xbb\xbf \n", "a.txt is empty."),
        (b"x" * 100_001, "a.txt is larger than 100 KB."),
    ],
)
def test_other_files_are_refused_in_a_sentence(octets: bytes, sentence: str) -> None:
    with pytest.raises(AttachmentRefused) as refused:
        text_of(SentFile("a.txt", octets))
    assert refused.value.public_message == sentence


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\Minutes of May.md", "Minutes of May.md"),
        ("a```\nb<script>.txt", "abscript.txt"),
        ("\x00\u202etxt.exe", "txt.exe"),
        ("", "file"),
        ("..", "file"),
        ("x" * 200 + ".csv", "x" * 76 + ".csv"),
    ],
)
def test_names_are_cleaned(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_nothing_in_a_file_closes_its_fence() -> None:
    assert fenced("a.md", "```\ncode\n```\n") == "````a.md\n```\ncode\n```\n````"
    assert fenced("a.txt", "x") == "```a.txt\nx\n```"


@pytest.fixture
def visitor(make_visitor: MakeVisitor) -> Visitor:
    return make_visitor(app_file_attachment=True)


def send(visitor: Visitor, message: str, *files: tuple[str, bytes], path: str = "/") -> Any:
    chosen = [FileStorage(BytesIO(octets), name) for name, octets in files]
    boundary, body = encode_multipart({"message": message, "files": chosen})
    kind = f"multipart/form-data; boundary={boundary}"
    return visitor.ask("POST", path, data=body, content_type=kind)


def test_a_file_is_added_to_the_message_in_a_fence(visitor: Visitor) -> None:
    answer = send(visitor, "Sum this up", ("a.txt", b"one\ntwo\n"), ("b.md", b"three"))
    assert answer.status_code == 303
    request = visitor.rows()[0].request
    assert request["message"] == "Sum this up\n\n```a.txt\none\ntwo\n```\n\n```b.md\nthree\n```"
    page = Page(visitor.ask("GET", "/"))
    assert page.find("ol [data-part=question]").get_text() == "Sum this up"
    assert [item.get_text() for item in page.html.select("ol .chat-files li")] == ["a.txt", "b.md"]


def test_an_answer_is_asked_for_again_with_its_files(visitor: Visitor) -> None:
    send(visitor, "Sum this up", ("a.txt", b"one"))
    key = Page(visitor.ask("GET", "/")).find("input[name=session_key]")["value"]
    visitor.ask("POST", "/regenerate", data={"session_key": key})
    first, second = visitor.rows()
    assert second.request["message"] == first.request["message"]
    page = Page(visitor.ask("GET", "/"))
    assert [item.get_text() for item in page.html.select("ol .chat-files li")] == ["a.txt"]


@pytest.mark.parametrize(
    ("message", "files", "sentence"),
    [
        ("Look", [("a.png", PNG)], "a.png is not a text file."),
        ("Look", [("a.txt", b"x" * 600_000)], "a.txt is larger than 100 KB."),
        ("Look", [("a.txt", b"x")] * 4, TOO_MANY),
        ("Look", [("a.txt", b"x" * 31_990)], TOO_LONG),
        ("  ", [("a.txt", b"x")], EMPTY),
    ],
)
def test_a_refused_file_leaves_what_was_typed(
    message: str, files: list[tuple[str, bytes]], sentence: str, visitor: Visitor
) -> None:
    answer = send(visitor, message, *files)
    assert answer.status_code == 400
    page = Page(answer)
    assert sentence in page.find("#message-error").get_text()
    assert page.find("#message").get_text() == message
    streamed = send(visitor, message, *files, path="/stream").get_data(as_text=True)
    assert streamed.startswith("event: error")
    assert sentence in streamed


def test_a_client_that_takes_no_files_refuses_them(make_visitor: MakeVisitor) -> None:
    visitor = make_visitor()
    page = Page(visitor.ask("GET", "/"))
    assert not page.html.select("input[type=file], form[enctype]")
    answer = send(visitor, "Look", ("a.txt", b"x"))
    assert answer.status_code == 400
    assert NOT_TAKEN in Page(answer).words


def test_an_empty_field_is_no_file(visitor: Visitor) -> None:
    assert send(visitor, "Hello", ("", b"")).status_code == 303
    assert visitor.rows()[0].request["message"] == "Hello"
