"""What becomes of an answer's Markdown: what it means, and nothing that acts."""

from __future__ import annotations

import time

import pytest
from bs4 import BeautifulSoup

from portal.serving.markdown import LONGEST, rendered
from tests.sampling import some_short

pytestmark = pytest.mark.engine_independent

ALLOWED = {"p", "strong", "em", "s", "code", "pre", "div", "button", "h2", "ul", "ol", "li"}
ALLOWED |= {"blockquote", "hr", "br", "a", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"class", "tabindex", "aria-label", "type", "data-copy", "role", "start"}
ATTRIBUTES |= {"href", "target", "rel"}


def html_of(text: str) -> BeautifulSoup:
    return BeautifulSoup(str(rendered(text)), "html5lib")


def test_what_people_write_means_what_it_says() -> None:
    page = html_of("A **bold** *word*, ~~gone~~, `code`.\n\n1. one\n2. two\n\n> said\n\n- x")
    for selector in ("strong", "em", "s", "p code", "ol li + li", "blockquote p", "ul li"):
        assert page.select_one(selector), selector


def test_code_scrolls_and_can_be_copied() -> None:
    page = html_of("```html\n<b>x</b>\n```")
    block = page.select_one(".md-code pre[tabindex='0']")
    assert block.get_text() == "<b>x</b>\n"  # type: ignore[union-attr]
    button = block.find_next_sibling("button")  # type: ignore[union-attr]
    assert button["aria-label"] == "Copy the code"  # type: ignore[index]


def test_tables_scroll_and_carry_no_style() -> None:
    page = html_of("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert page.select_one("[role=group][tabindex='0'] table td")
    assert not page.select("[style]")


def test_headings_are_of_one_rank_below_the_pages_own() -> None:
    page = html_of("# One\n\n###### Six\n\nTwo\n===")
    assert [heading.name for heading in page.select("h1, h2, h3, h6")] == ["h2", "h2", "h2"]


@pytest.mark.parametrize(
    "address", ["https://example.org/a?b=c&d", "http://example.org", "mailto:desk@example.org"]
)
def test_links_lead_out_into_a_window_that_knows_nothing(address: str) -> None:
    link = html_of(f"[there]({address})").a
    assert link is not None
    assert link["href"] == address
    assert link["target"] == "_blank"
    assert link["rel"] == ["nofollow", "noopener", "noreferrer"]


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#106;avascript:alert(1)",
        "java&#10;script:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "/regenerate",
        "//example.org",
        "http://",
    ],
)
def test_other_addresses_are_text(address: str) -> None:
    for text in (f"[x]({address})", f"<{address}>", f"![x]({address})", f"[x]\n\n[x]: {address}"):
        assert not html_of(text).select("a, img"), text


def test_an_image_is_a_link_with_its_words() -> None:
    page = html_of("![A *plan*](https://example.org/p.png) ![](https://example.org/q.png)")
    assert not page.select("img")
    assert [link.get_text() for link in page.select("a")] == ["A *plan*", "Image"]
    inside = html_of("[![Logo](https://example.org/p.png)](https://example.org/)")
    assert [link["href"] for link in inside.select("a")] == ["https://example.org/"]


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<style>*{display:none}</style>",
    "<!-- --><b onclick=x>",
    '```"><script>alert(1)</script>\n<script>alert(1)</script>\n```',
    "`<script>alert(1)</script>`",
    '[a](https://e.org/"onmouseover="alert(1))',
    '[a](<https://e.org/" onclick="x>)',
    '[a](https://e.org "t\\" onclick=\\"x")',
    '![" onerror="x](https://e.org/x.png)',
    "| <img src=x onerror=y> |\n|---|\n| <script>z</script> |",
    "# <img src=x onerror=alert(1)>",
    "1. <b>x</b>\n   <script>y</script>",
    "</div></li></ol><h1>out</h1>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_it_becomes_an_element_or_attribute_of_its_own(text: str) -> None:
    for element in html_of(text).body.find_all(True):  # type: ignore[union-attr]
        assert element.name in ALLOWED, element
        assert set(element.attrs) <= ATTRIBUTES, element


@pytest.mark.parametrize(
    "piece",
    some_short(
        ["![", ">", "> ", "[", "****", "*a ", "_a*", "`a``", "- ", "1. ", "|", "|a", "<a", "&"]
        + ["~~", "[a](", "[a][", "**a ", "[a]: b\n", "```\n", "> a\n", "* a\n", "![](http://a)"]
        + ["\\"],
        one_in=5,
    ),
)
def test_deep_and_broken_nesting_is_no_work(piece: str) -> None:
    text = (piece * 32_000)[:32_000]
    began = time.thread_time()
    assert rendered(text)
    assert time.thread_time() - began < 5


@pytest.mark.long
def test_a_table_of_nothing_is_no_work() -> None:
    columns = 2_000
    text = "|a" * columns + "\n" + "|-" * columns + "\n" + "|\n" * 20_000
    began = time.thread_time()
    assert len(rendered(text)) < 2_000_000
    assert time.thread_time() - began < 15


def test_what_is_too_long_stays_text() -> None:
    page = html_of(("**x** <b>" * LONGEST)[: LONGEST + 1])
    assert not page.select("strong, b")
    assert page.select_one("p.pre-line")
