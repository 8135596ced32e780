"""Requests that nobody should send, from a seeded generator: a failure can be repeated."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

PROMPT_PATHS = ("/prompt/", "/v1/chat/completions", "/stream", "/", "/embed", "/regenerate")
OTHER_PATHS = (
    "/config/",
    "/rating",
    "/prompt/config/",
    "/new-chat",
    "/embed/new-chat",
    "/v1/embeddings",
)
ON_PLATFORM = ("/prompt/", "/v1/chat/completions", "/config/", "/prompt/config/", "/v1/embeddings")
HOSTS = (
    "",
    ".",
    "..",
    "a" * 5_000,
    "[::1",
    "[]",
    "x y",
    "x\ty",
    "guide:99999999",
    "guide:port",
    "user@guide",
    "guide/../x",
    "xn--\x80",
    "\xff\xfe",
    "127.0.0.1.",
    "%00",
    "a,b",
    "<script>",
    "-" * 300 + ".example",
)
TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "application/json; charset=none-such",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-7",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "multipart/form-data; boundary=" + "b" * 300,
    "text/plain",
    "a/b/c;;==",
    "\xff",
    "",
)
TEXTS = (
    "",
    " ",
    "hello",
    "a\x00b",
    "\ud800",
    "\udfff tail",
    "\u202e\u0000\uffff",
    "\r\nSet-Cookie: a=b",
    "é" * 40_000,
    "x" * 300_000,
    "{{7*7}}${7*7}",
    "\x1b[31m",
)
NUMBERS = (0, -1, 2**63, 10**400, 1e308, -0.0, 1.5, True)
ROLES = ("user", "assistant", "system", "tool", "developer", "", "\x00", None, 5, ["user"])


@dataclass(frozen=True)
class Strange:
    """One request; `host` None is the client's own."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    host: str | None = None
    on_platform: bool = False

    @property
    def is_prompt(self) -> bool:
        return self.host is None and self.method == "POST" and self.path in PROMPT_PATHS


def strange_request(dice: random.Random) -> Strange:
    """The next one."""
    prompts = dice.random() < 0.8
    path = dice.choice(PROMPT_PATHS if prompts else OTHER_PATHS)
    kind, body = _typed_body(dice)
    headers = {"Content-Type": kind} if kind else {}
    if dice.random() < 0.2:
        headers |= _strange_headers(dice)
    on_platform = path in ON_PLATFORM and dice.random() < 0.2
    return Strange(
        on_platform=on_platform,
        method="POST" if dice.random() < 0.95 else dice.choice(("PUT", "DELETE", "OPTIONS")),
        path=path,
        body=body,
        headers=headers,
        query=_query(dice) if dice.random() < 0.2 else "",
        host=dice.choice(HOSTS) if not on_platform and dice.random() < 0.05 else None,
    )


def _strange_headers(dice: random.Random) -> dict[str, str]:
    found = {
        "Authorization": dice.choice(("Bearer", "Bearer ", "Basic \xff", "Bearer " + "x" * 9_000)),
        "Origin": dice.choice(("null", "", "https://[", "x" * 5_000, "https://a.example")),
        "X-Session-Key": dice.choice(("", "\xff", "0" * 64, "x" * 5_000)),
        "Cookie": dice.choice(
            ("chat_session=\xff", "=;=;", "chat_session_embedded=" + "x" * 4_000)
        ),
        "User-Agent": dice.choice(("\xff\x80", "x" * 5_000, "")),
        "Content-Encoding": dice.choice(("gzip", "br", "none-such")),
        "Accept": dice.choice((";;;", "*/*;q=x", "text/html")),
    }
    return {name: found[name] for name in dice.sample(sorted(found), k=dice.randint(1, 3))}


def _query(dice: random.Random) -> str:
    raw = bytes(dice.randrange(256) for _ in range(dice.randint(1, 20)))
    return (
        dice.choice(
            (
                "session_key=%00",
                "session_key=%ff%fe",
                "session_key",
                "&&==&",
                "session_key=a&session_key=b",
            )
        )
        if dice.random() < 0.5
        else "session_key=" + quote_from_bytes(raw)
    )


def _typed_body(dice: random.Random) -> tuple[str, bytes]:
    """A content type and a body, which often do not fit each other."""
    makers = (_json_body, _json_body, _raw_json, _form_body, _multipart_body, _noise)
    kinds = ("application/json",) * 3 + (TYPES[3], "multipart/form-data; boundary=x", "")
    choice = dice.randrange(len(makers))
    fits = dice.random() < 0.8
    return (kinds[choice] if fits else dice.choice(TYPES)), makers[choice](dice)


def _json_body(dice: random.Random) -> bytes:
    body = {
        "model": dice.choice(("demo", "guide", "", 5, None, "x" * 500)),
        "session_key": _value(dice),
        "message": _value(dice),
        "messages": [_message(dice) for _ in range(dice.randint(0, 3))],
    }
    for name in ("temperature", "max_tokens", "n", "stream", "tools", "stop", "metadata", "user"):
        if dice.random() < 0.15:
            body[name] = _value(dice)
    for name in list(body):
        if dice.random() < 0.1:
            body[name] = _value(dice)
    return json.dumps(body, ensure_ascii=dice.random() < 0.7).encode("utf-8", "surrogatepass")


def _message(dice: random.Random) -> Any:
    if dice.random() < 0.1:
        return _value(dice)
    content = dice.choice(TEXTS) if dice.random() < 0.6 else _value(dice)
    return {"role": dice.choice(ROLES), "content": content, "name": _value(dice, 2)}


def _value(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.randrange(8 if depth < 2 else 5)
    if kind < 2:
        return dice.choice(TEXTS[:8])
    if kind == 2:
        return dice.choice(NUMBERS)
    if kind < 5:
        return dice.choice((None, True, False, [], {}))
    if kind == 5:
        return {dice.choice(TEXTS[:8]): _value(dice, depth + 1) for _ in range(3)}
    return [_value(dice, depth + 1) for _ in range(dice.randint(0, 4))]


def _raw_json(dice: random.Random) -> bytes:
    """Texts that are nearly JSON, or JSON that a careless reader falls over."""
    deep = dice.choice((10, 64, 70, 5_000, 100_000))
    user = b'{"messages":[{"role":"user","content":'
    return dice.choice(
        (
            b"",
            b"  \n",
            b"null",
            b"5",
            b'"text"',
            b"{",
            b'{"messages": NaN}',
            b'{"messages": Infinity, "temperature": -Infinity}',
            b'{"a": ' + b"9" * 400 + b"}",
            b'{"a": ' + b"9" * 5_000 + b"}",
            b'{"a": 1e999}',
            b'{"a":' * deep + b"1" + b"}" * deep,
            b"[" * deep,
            user + b"[" * deep + b"]" * deep + b"}]}",
            b'{"message":"a","message":"b","messages":1,"messages":[]}',
            user + b'"\\ud800"}]}',
            user + b'"\\u0000"}]}',
            user + b'"\xff\xfe"}]}',
            user + b'"hi"}]',
            '{"message": "hi"}'.encode("utf-16"),
            b"\xef\xbb\xbf" + b'{"message": "hi"}',
            gzip.compress(b'{"message": "hi"}', mtime=0),
            b'{"message": "' + b"x" * 1_000_000 + b'"}',
            b"\x00" * 1_000,
        )
    )


def _form_body(dice: random.Random) -> bytes:
    return dice.choice(
        (
            b"message=hello",
            b"message=%00&session_key=%00",
            b"message=%ff%fe%ed%a0%80",
            b"message",
            b"=&=&=",
            b"&".join(b"f%d=1" % number for number in range(5_000)),
            b"message=a&message=b",
            b"message=" + b"%41" * 50_000,
            b"message=" + b"x" * 1_000_001,
        )
    )


def _multipart_body(dice: random.Random) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="message"'
    return dice.choice(
        (
            head + b"\r\n\r\nhello\r\n--x--\r\n",
            head + b"\r\n\r\nhello",
            head,
            b"--x--",
            b"--x\r\n\r\n\r\n--x--",
            head + b'; filename="a"\r\n\r\nhello\r\n--x--\r\n',
            head + b"\r\nContent-Type: text/plain; charset=none-such\r\n\r\nhello\r\n--x--\r\n",
            head + b"\r\n\r\n" + b"x" * 600_000 + b"\r\n--x--\r\n",
            (head + b"\r\n\r\na\r\n") * 1_500 + b"--x--\r\n",
            b"--x\r\nContent-Disposition: form-data; name=\xff\r\n\r\n\xff\r\n--x--\r\n",
        )
    )


def _noise(dice: random.Random) -> bytes:
    return dice.randbytes(dice.choice((1, 10, 1_000, 50_000)))
