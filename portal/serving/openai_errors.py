"""Errors in the shape, with the types and the codes, that OpenAI's API has. Pure."""

from __future__ import annotations

from typing import Any

from portal.serving.questions import Refusal

INVALID, RATE_LIMIT, SERVER = "invalid_request_error", "requests", "server_error"
QUOTA = "insufficient_quota"  # type and code, as the original has it for money that is used up
CODES = {
    401: "invalid_api_key",
    403: "origin_not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "request_too_large",
    429: "rate_limit_exceeded",
    503: "service_unavailable",
}
RETRY_SECONDS = 5


class Fault(Exception):
    """A request that cannot be answered; `param` names the field that is to blame."""

    def __init__(
        self, message: str, param: str | None = None, *, status: int = 400, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.status = status
        self.code = code


def error_body(
    status: int, message: str, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """The JSON of an error; type and, unless given, code follow from the status."""
    kind = RATE_LIMIT if status == 429 else INVALID if status < 500 else SERVER
    if code == QUOTA:
        kind = QUOTA
    error = {
        "message": message,
        "type": kind,
        "param": param,
        "code": code or CODES.get(status),
    }
    return {"error": error}


def refusal_body(refusal: Refusal) -> dict[str, Any]:
    """The same for a prompt that was refused or failed behind us."""
    code = None if refusal.status in CODES else f"provider_{refusal.reason}"
    if refusal.reason == "budget_reached":
        code = QUOTA
    return error_body(refusal.status, refusal.message, None, code)


def retry_headers(
    status: int, seconds: int | None = None, *, permanent: bool = False
) -> dict[str, str]:
    """When to ask again; `x-should-retry` tells the official SDKs that it is in vain."""
    if permanent or status in (400, 401, 403, 404, 405, 413):
        return {"x-should-retry": "false"}
    if status in (429, 503):
        return {"Retry-After": str(RETRY_SECONDS if seconds is None else seconds)}
    return {}
