"""Letters as HTML: the same words, escaped, and nothing that is fetched from elsewhere."""

from __future__ import annotations

import email
import email.policy

import pytest
from bs4 import BeautifulSoup

from portal.accounts.models import User
from portal.database import db
from portal.notifications import jobs
from portal.notifications.letter_html import Part, blocks, html_of, parts
from tests.notifications.conftest import Tell, mails
from tests.notifications.test_notices import MailServer, mail_server, with_mail  # noqa: F401
from tests.people import People


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("no address", [Part("no address")]),
        ("", []),
        ("https://a.example/x", [Part("https://a.example/x", "https://a.example/x")]),
        (
            "see https://a.example/x.",
            [Part("see "), Part("https://a.example/x", "https://a.example/x"), Part(".")],
        ),
        ("javascript:alert(1)", [Part("javascript:alert(1)")]),
    ],
)
def test_addresses_become_links_under_their_own_name(line: str, expected: list[Part]) -> None:
    assert parts(line) == expected


@pytest.mark.engine_independent
def test_paragraphs_lists_tables_and_buttons() -> None:
    text = (
        "One line.\nAnother.\n\n  a.example\n  b.example\n\n"
        "  Requests: 12\n  Cost: US$ 1.20\n\nSee it in the portal: https://a.example/\n"
    )
    found = blocks(text)
    assert [block.kind for block in found] == ["text", "list", "table", "button"]
    assert found[2].pairs == [("Requests", "12"), ("Cost", "US$ 1.20")]
    assert found[3].lines == [[Part("See it in the portal", "https://a.example/")]]


@pytest.mark.usefixtures("database")
def test_what_strangers_wrote_stays_text() -> None:
    evil = '<img src="https://evil.example/x.png"> <script>alert(1)</script> "onload='
    html = html_of(f"<b>{evil}", f"{evil}\n\n  {evil}\n\n  <i>: {evil}", evil, "")
    tags = {tag.name for tag in BeautifulSoup(html, "html.parser").find_all()}
    assert not tags & {"img", "script", "b", "i", "iframe", "link"}
    links = BeautifulSoup(html, "html.parser").find_all("a")
    assert {link["href"] for link in links} == {"https://evil.example/x.png"}


def test_a_mail_arrives_with_both_parts(
    told: Tell,
    people: People,
    with_mail: MailServer,  # noqa: F811
) -> None:
    db.session.get_one(User, people.alice.user_id).email = "alice@example.com"
    db.session.commit()
    told()
    jobs.send_mail(mails()[0].id)
    [raw] = with_mail.taken
    message = email.message_from_string(raw, policy=email.policy.default)
    assert message.get_content_type() == "multipart/alternative"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = (part.get_content() for part in message.iter_parts())
    for content in (text, html):
        assert "The TXT record is gone." in content
        assert "/custom-domains/" in content
        assert "/account/notifications" in content
    assert "Birkenhof Media" in html
