"""A provider of models that answers at once or after a fixed time, and costs next to nothing.

`python -m bench.provider PORT`; the base URL http://127.0.0.1:PORT/20/v1 answers after 20 ms, and
`/20-1000-20/v1` streams 20 tokens, a second apart, from then on.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass

TOKENS = 20
TOKEN_SECONDS = 0.002
TEXT = " ".join(f"token{number:02d}" for number in range(60))


def _answer() -> bytes:
    body = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": TEXT},
            }
        ],
        "usage": {"prompt_tokens": 20, "completion_tokens": 60, "total_tokens": 80},
    }
    return json.dumps(body).encode()


def _event(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    data = json.dumps({"model": "bench", "choices": [choice]}).encode()
    return _chunk(b"data: " + data + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


BODY = _answer()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: "
WHOLE = HEAD + b"application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
STREAM = HEAD + b"text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One kept-alive connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            pace = Pace.of(head.split(b"/", 2)[1])
            if pace.latency:
                await asyncio.sleep(pace.latency)
            is_stream = b'"stream": true' in body or b'"stream":true' in body
            await _send(writer, pace, is_stream)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


@dataclass(frozen=True)
class Pace:
    """Seconds before the first token and between two, and how many there are."""

    latency: float
    gap: float = TOKEN_SECONDS
    tokens: int = TOKENS

    @classmethod
    def of(cls, segment: bytes) -> Pace:
        """`20`, or `20-1000-20`: milliseconds, milliseconds, tokens."""
        latency, *more = (int(part) for part in segment.split(b"-"))
        return cls(latency / 1000, more[0] / 1000, more[1]) if more else cls(latency / 1000)


async def _send(writer: asyncio.StreamWriter, pace: Pace, is_stream: bool) -> None:
    if not is_stream:
        writer.write(WHOLE)
        return
    writer.write(STREAM)
    for _ in range(pace.tokens):
        writer.write(_event("token "))
        await asyncio.sleep(pace.gap)
    writer.write(_event("", "stop") + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


async def main(port: int) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
