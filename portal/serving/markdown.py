"""Answers of a model as HTML: CommonMark with tables and strikethrough, nothing that acts.

The text is a stranger's. So HTML in it is text, an image is a link to it, and a link leads only to
http, https or mailto, in a window that knows nothing of ours. What is too long stays plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup, escape

LONGEST = 60_000
SCHEMES = ("http", "https", "mailto")
CODE = (
    '<div class="md-code"><pre class="code" tabindex="0" aria-label="Code"><code>{code}</code>'
    '</pre><button class="copy with-script" type="button" data-copy aria-label="Copy the code">'
    "Copy</button></div>\n"
)


def rendered(text: str) -> Markup:
    """HTML that a page may insert as it is; linear in the text's length, whatever is in it."""
    if len(text) > LONGEST:
        return _plain(text)
    try:
        return Markup(_MARKDOWN.render(text))  # noqa: S704 - every text in it was escaped
    except (IndexError, RecursionError, ValueError):
        return _plain(text)


def _plain(text: str) -> Markup:
    return Markup('<p class="pre-line">{}</p>').format(text)


def _may_be_linked(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return bool(parts.path)
    return parts.scheme in SCHEMES and bool(parts.netloc)


def _without_images(state: StateCore) -> None:
    """An image is a link with its alternative text, inside a link that text alone."""
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = list(_linked(token.children))


def _linked(children: Sequence[Token]) -> Iterator[Token]:
    inside = False
    for child in children:
        if child.type in ("link_open", "link_close"):
            inside = child.type == "link_open"
        if child.type != "image":
            yield child
            continue
        words = Token("text", "", 0, content=child.content or "Image")
        if inside:
            yield words
        else:
            yield Token("link_open", "a", 1, attrs={"href": child.attrs["src"]})
            yield words
            yield Token("link_close", "a", -1)


def _link_open(renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    address = escape(tokens[index].attrGet("href") or "")
    return f'<a href="{address}" target="_blank" rel="nofollow noopener noreferrer">'


def _code(renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    return CODE.format(code=escape(tokens[index].content))


def _heading(renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    """All of one rank, below the page's only h1: an answer has no say in the page's outline."""
    return '<h2 class="md-heading">' if tokens[index].nesting == 1 else "</h2>\n"


def _table_open(*_: Any) -> str:
    return '<div class="md-table" tabindex="0" role="group" aria-label="Table"><table>\n'


def _cell_open(renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    """Without the style attribute that an alignment would be: the page's policy forbids it."""
    return f"<{tokens[index].tag}>"


def _build() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "linkify": False})
    markdown.enable(["table", "strikethrough"])
    markdown.validateLink = _may_be_linked  # type: ignore[method-assign]
    markdown.core.ruler.push("without_images", _without_images)
    rules = {
        "link_open": _link_open,
        "fence": _code,
        "code_block": _code,
        "heading_open": _heading,
        "heading_close": _heading,
        "table_open": _table_open,
        "table_close": lambda *_: "</table></div>\n",
        "th_open": _cell_open,
        "td_open": _cell_open,
    }
    for name, rule in rules.items():
        markdown.add_render_rule(name, rule)
    return markdown


_MARKDOWN = _build()
