"""Every way a provider can fail: one sentence for the visitor, the truth for the account."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from portal.llm_providers import ProviderError, ProviderReason

LONGEST_DETAIL = 500
LONGEST_WAIT = 3600
SHORTEST_SECRET = 6
HIDDEN = "[key]"
KEY_SHAPES = re.compile(r"\b(?:sk|pk|gsk|xai|key)[-_][A-Za-z0-9_\-]{8,}|Bearer\s+[^\s\"',}]+")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")

SENTENCES: dict[ProviderReason, str] = {
    "timeout": "The AI provider took too long to answer. Please try again.",
    "rate_limited": "The AI provider is busy right now. Please try again in a moment.",
    "unavailable": "The AI provider has a problem at the moment. Please try again later.",
    "refused": "The AI provider refused access. The owner of this chat has to check its key.",
    "bad_request": "The AI provider could not process this question.",
    "malformed": "The AI provider sent an answer that cannot be read. Please try again.",
    "cut": "The answer broke off before its end. Please try again.",
    "too_large": "The AI provider sent more than an answer may have.",
    "unreachable": "The AI provider cannot be reached at the moment. Please try again later.",
}
PERMANENT: frozenset[ProviderReason] = frozenset({"refused", "bad_request"})
STATUS_REASONS: dict[int, ProviderReason] = {
    401: "refused",
    402: "refused",
    403: "refused",
    408: "timeout",
    425: "unavailable",
    429: "rate_limited",
    504: "timeout",
}


def failure(
    reason: ProviderReason,
    detail: str,
    *,
    secret: str = "",
    permanent: bool | None = None,
    http_status: int | None = None,
    retry_after_seconds: int | None = None,
) -> ProviderError:
    """The error for `reason`; `secret` and whatever looks like a key is cut out of `detail`."""
    sentence = SENTENCES[reason]
    if reason == "rate_limited" and retry_after_seconds:
        unit = "second" if retry_after_seconds == 1 else "seconds"
        sentence = sentence.replace("in a moment", f"in {retry_after_seconds} {unit}")
    return ProviderError(
        sentence,
        reason=reason,
        permanent=reason in PERMANENT if permanent is None else permanent,
        detail=clean(detail, secret),
        http_status=http_status,
        retry_after_seconds=retry_after_seconds,
    )


def clean(text: str, secret: str) -> str:
    """One line of at most 500 characters without keys and control characters."""
    if len(secret) >= SHORTEST_SECRET:
        text = text.replace(secret, HIDDEN)
    text = UNPRINTABLE.sub(" ", KEY_SHAPES.sub(HIDDEN, text)).strip()
    return text if len(text) <= LONGEST_DETAIL else text[: LONGEST_DETAIL - 1] + "…"


def status_failure(
    status: int, headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime
) -> ProviderError:
    """What an answer with a status other than 200 means."""
    error = _error_object(body)
    words = str(error.get("message") or body.decode("utf-8", "replace")).strip()
    if 300 <= status < 400:
        words = f"redirects to {headers.get('Location', 'nowhere')}"
    return failure(
        _reason_of(status),
        f"HTTP {status}: {words or 'no text'}",
        secret=secret,
        permanent=True if _used_up(error) else None,
        http_status=status,
        retry_after_seconds=retry_after(headers, now),
    )


def event_failure(error: object, *, secret: str) -> ProviderError:
    """What an error object in the middle of a stream means."""
    fields = error if isinstance(error, dict) else {"message": str(error)}
    code = str(fields.get("code") or fields.get("type") or "")
    status = int(code) if code.isdecimal() and len(code) == 3 else None
    reason: ProviderReason = "unavailable"
    if status is not None:
        reason = _reason_of(status)
    elif "rate_limit" in code:
        reason = "rate_limited"
    words = str(fields.get("message") or code or "no text")
    return failure(reason, f"in the stream: {words}", secret=secret, http_status=status)


def retry_after(headers: Mapping[str, str], now: datetime) -> int | None:
    """Seconds to wait (0 to 3600) by Retry-After, a number or a date (RFC 9110 section 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text) if text[0].isdecimal() and ":" not in text else _until(text, now)
    except (ValueError, TypeError):
        return None
    return max(0, min(LONGEST_WAIT, int(seconds + 0.999)))


def _until(text: str, now: datetime) -> float:
    return (parsedate_to_datetime(text) - now).total_seconds()


def _reason_of(status: int) -> ProviderReason:
    if status in STATUS_REASONS:
        return STATUS_REASONS[status]
    return "unavailable" if status >= 500 else "bad_request"


def _used_up(error: Mapping[str, Any]) -> bool:
    return "insufficient_quota" in (error.get("code"), error.get("type"))


def _error_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if isinstance(content, list) and content:
        content = content[0]
    error = content.get("error", content) if isinstance(content, dict) else {}
    return error if isinstance(error, dict) else {"message": str(error)}
