"""The kind api: one HTTP request with the model's values in it, guarded like every outgoing one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from portal.errors import AdapterError
from portal.fetching import Fetched, fetch
from portal.plugins.parameters import BODY, QUERY, PluginError, Value, of_content, read

METHODS = ("GET", "POST")
SECONDS = 5.0
LARGEST_ANSWER = 64 * 1024
LONGEST_WORDS = 500
PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_]{0,60})\}", re.ASCII)
READABLE = re.compile(r"(text/.+|application/(.+\+)?(json|xml|yaml))\Z")


def placeholders(url: str) -> list[str]:
    """The names in braces, in order."""
    return PLACEHOLDER.findall(url)


def host_part(url: str) -> str:
    """Everything up to the path: what no value may change."""
    scheme, separator, rest = url.partition("://")
    return scheme + separator + re.split(r"[/?#]", rest, maxsplit=1)[0]


def call(
    content: Mapping[str, Any],
    secret: str,
    arguments: Mapping[str, Any],
    *,
    allow_private: bool,
    seconds: float = SECONDS,
) -> str:
    """The text that the address answers with. Raises PluginError."""
    values = read(of_content(content), arguments)
    url, body = _address(content, values), _body(content, values)
    headers = {"Accept": "application/json, text/*;q=0.8", **content.get("headers", {})}
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    if secret and content.get("secret_header"):
        headers[content["secret_header"]] = secret
    try:
        answer = fetch(
            content["method"],
            url,
            allow_private=allow_private,
            headers=headers,
            body=body,
            seconds=seconds,
            longest=LARGEST_ANSWER,
        )
    except AdapterError as error:
        raise PluginError(error.public_message) from error
    return _readable(answer)


def _address(content: Mapping[str, Any], values: Mapping[str, Value]) -> str:
    """The URL with every value encoded, so that it stays one part of it."""

    def filled(match: re.Match[str]) -> str:
        text = _text(values.get(match[1], ""))
        if text in (".", ".."):
            raise PluginError(f"{match[1]} must be more than dots.")
        return quote(text, safe="")

    url = PLACEHOLDER.sub(filled, content["url"])
    asked = {
        parameter.name: _text(values[parameter.name])
        for parameter in of_content(content)
        if parameter.where == QUERY and parameter.name in values
    }
    if not asked:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"


def _body(content: Mapping[str, Any], values: Mapping[str, Value]) -> bytes | None:
    if content["method"] != "POST":
        return None
    sent = {
        parameter.name: values[parameter.name]
        for parameter in of_content(content)
        if parameter.where == BODY and parameter.name in values
    }
    return json.dumps(sent, ensure_ascii=False).encode()


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _readable(answer: Fetched) -> str:
    words = answer.text.strip()
    if 300 <= answer.status < 400:
        raise PluginError(f"It redirects (HTTP {answer.status}), which is not followed.")
    if answer.status >= 400:
        said = f" It said: {words[:LONGEST_WORDS]}" if words and _is_text(answer) else ""
        raise PluginError(f"It answered with HTTP {answer.status}.{said}")
    if words and not _is_text(answer):
        raise PluginError("It answered with something that is neither JSON nor text.")
    return words or "It answered with nothing."


def _is_text(answer: Fetched) -> bool:
    return READABLE.match(answer.content_type or "text/plain") is not None
