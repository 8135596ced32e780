"""What an ACME authority said, as a reason code and a sentence of ours; its own words beside them.

The codes are those of RFC 8555 section 6.7. Pure: problems in, values out.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from acme import messages

RATE_LIMIT = "ca_rate_limit"
ACCOUNT = "ca_account"
RATE_LIMIT_SECONDS = 3600  # where the authority does not say how long
LONGEST_WAIT_SECONDS = 7 * 86_400
LONGEST_WORDS = 2000
# Let's Encrypt says in its sentence when it will listen again
_UNTIL = re.compile(r"retry after (\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)")


@dataclass(frozen=True)
class Words:
    """Why there is no certificate; `permanent`: not by waiting either."""

    reason: str
    sentence: str
    permanent: bool = False


_ACCOUNT = Words(ACCOUNT, "The certificate authority does not accept the portal’s account.")
_REQUEST = Words("ca_bad_request", "The certificate authority refuses the request itself.", True)
OF_ORDERS: dict[str | None, Words] = {
    "rateLimited": Words(RATE_LIMIT, "The certificate authority’s limit is reached."),
    "rejectedIdentifier": Words(
        "rejected_name", "The certificate authority issues nothing for {name}.", True
    ),
    "unsupportedIdentifier": Words(
        "rejected_name", "The certificate authority issues nothing for names like {name}.", True
    ),
    "malformed": _REQUEST,
    "badCSR": _REQUEST,
    "badPublicKey": _REQUEST,
    "badSignatureAlgorithm": _REQUEST,
    "unauthorized": _ACCOUNT,
    "accountDoesNotExist": _ACCOUNT,
    "externalAccountRequired": _ACCOUNT,
    "userActionRequired": _ACCOUNT,
    "invalidContact": _ACCOUNT,
    "unsupportedContact": _ACCOUNT,
}
_CAA = Words("caa_forbids", "A CAA record of {name} does not allow this certificate authority.")
_DNS = Words("dns_trouble", "The certificate authority could not look up {name}.")
OF_HTTP: dict[str | None, Words] = {
    "caa": _CAA,
    "dns": _DNS,
    "dnssec": Words("dnssec_bogus", "The DNSSEC signatures of {name} are wrong."),
    "connection": Words(
        "port_80_closed", "The certificate authority could not connect to {name} on port 80."
    ),
    "tls": Words(
        "challenge_redirected",
        "{name} sends the certificate authority on to HTTPS, which does not work yet.",
    ),
    "unauthorized": Words(
        "challenge_wrong",
        "Somebody else answered when the certificate authority asked {name} for our proof.",
    ),
}
OF_DNS: dict[str | None, Words] = {
    "caa": _CAA,
    "dns": _DNS,
    "dnssec": OF_HTTP["dnssec"],
    "unauthorized": Words(
        "challenge_record_wrong",
        "The certificate authority did not find our record at _acme-challenge.{name}.",
    ),
}
_OTHER = Words("ca_refused", "The certificate authority could not confirm {name}.")
_ENDED = Words("ca_refused", "The certificate authority ended the order for {name}.")


def of_challenge(kind: str, problem: messages.Error | None, name: str) -> Words:
    """Why a challenge failed."""
    known = OF_DNS if kind == "dns-01" else OF_HTTP
    code = problem.code if problem is not None else None
    if code == "incorrectResponse":
        code = "unauthorized"
    return _named(known.get(code, _OTHER), name)


def of_order(problem: messages.Error | None, name: str) -> Words:
    """Why an order was not taken, or ended."""
    code = problem.code if problem is not None else None
    return _named(OF_ORDERS.get(code) or OF_HTTP.get(code) or _ENDED, name)


def _named(words: Words, name: str) -> Words:
    return Words(words.reason, words.sentence.format(name=name), words.permanent)


def own_words(problem: messages.Error | None) -> str:
    """The problem document as the authority wrote it: type, detail, and those of single names."""
    if problem is None:
        return ""
    lines = [f"{problem.typ}: {problem.detail or problem.title or ''}".rstrip(": ")]
    for inner in problem.subproblems or ():
        whose = f"{inner.identifier.value}: " if inner.identifier is not None else ""
        lines.append(f"{whose}{inner.typ}: {inner.detail or ''}".rstrip(": "))
    return "\n".join(lines)[:LONGEST_WORDS]


def seconds_to_wait(retry_after: str, detail: str, now: datetime) -> int | None:
    """What Retry-After (seconds or a date, RFC 9110 section 10.2.3) or the sentence asks for."""
    found = _seconds(retry_after.strip(), now)
    match = _UNTIL.search(detail)
    if found is None and match:
        until = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
        found = (until - now).total_seconds() + 1
    if found is None:
        return None
    return int(min(max(1.0, found), LONGEST_WAIT_SECONDS))


def _seconds(text: str, now: datetime) -> float | None:
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return (parsedate_to_datetime(text) - now).total_seconds() if text else None
    except (TypeError, ValueError):
        return None


def until(now: datetime, seconds: int) -> str:
    """`until 14:05 UTC`, with the day where it is another one."""
    when = now.astimezone(UTC) + timedelta(seconds=seconds)
    shape = "%H:%M" if when.date() == now.astimezone(UTC).date() else "%d %B %Y, %H:%M"
    return f"until {when.strftime(shape)} UTC"
