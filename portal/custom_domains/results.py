"""What a check of a domain came to: values that pages draw and the row keeps as JSON. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Checks(StrEnum):
    """The five questions, in the order in which they are shown."""

    EXISTS = "exists"
    OWNERSHIP = "ownership"
    ROUTING = "routing"
    ISSUABLE = "issuable"
    HTTPS = "https"


class Verdicts(StrEnum):
    """`wait`: not yet, and nothing is wrong; `cannot_tell`: nobody could be asked."""

    PASS = "pass"  # noqa: S105 - a verdict
    WAIT = "wait"
    WRONG = "wrong"
    CANNOT_TELL = "cannot_tell"


class Acts(StrEnum):
    CUSTOMER = "customer"
    PLATFORM = "platform"
    NOBODY = "nobody"


class Reasons(StrEnum):
    """Why a check did not pass. Each has its words in `reasons.py` and in docs/domains.md."""

    NAME_DOES_NOT_EXIST = "name_does_not_exist"
    NOT_DELEGATED = "not_delegated"
    MISSING_AT_AUTHORITY = "missing_at_authority"
    STILL_CACHED = "still_cached"
    AUTHORITIES_DISAGREE = "authorities_disagree"
    WRONG_HOST = "wrong_host"
    DOUBLED_LABEL = "doubled_label"
    MISTYPED_VALUE = "mistyped_value"
    OLD_RECORD = "old_record"
    CNAME_AT_APEX = "cname_at_apex"
    CNAME_BESIDE_OTHERS = "cname_beside_others"
    ALIAS_LOOP = "alias_loop"
    WILDCARD_ONLY = "wildcard_only"
    STRAY_AAAA = "stray_aaaa"
    FOREIGN_ADDRESS = "foreign_address"
    PRIVATE_ADDRESS = "private_address"
    BEHIND_PROXY = "behind_proxy"
    CAA_FORBIDS = "caa_forbids"
    DNSSEC_BOGUS = "dnssec_bogus"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    LAME = "lame"
    TAKEN = "taken"
    RESERVED = "reserved"
    CA_RATE_LIMIT = "ca_rate_limit"
    CA_REFUSED = "ca_refused"
    PORT_80_CLOSED = "port_80_closed"
    CHALLENGE_REDIRECTED = "challenge_redirected"
    NOT_YET_SERVED = "not_yet_served"
    CLOCK_SKEW = "clock_skew"
    OTHER_CLIENT = "other_client"
    EDITOR_REFUSED = "editor_refused"
    NOT_DEPLOYED = "not_deployed"
    WAITS_FOR_OTHERS = "waits_for_others"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class CheckResult:
    """One row of the page. `host` is what was looked at; `reason` is empty where it passes.

    `sentence` says what is so, `fix` what to do about it, `detail` the other side's own words.
    `clears_at`: when a cache forgets what it has. `definite`: a server said no itself.
    """

    check: Checks
    host: str
    verdict: Verdicts
    sentence: str
    reason: Reasons | None = None
    who_acts: Acts = Acts.NOBODY
    fix: str = ""
    expected: str = ""
    found: tuple[str, ...] = ()
    source: str = ""
    detail: str = ""
    clears_at: datetime | None = None
    checked_at: datetime | None = None

    @property
    def definite(self) -> bool:
        """Whether it may count against a verified domain: only a server's own "no" does."""
        return self.verdict == Verdicts.WRONG

    def as_json(self) -> dict[str, Any]:
        """For the domain's `check_results`."""
        values = asdict(self)
        for name in ("clears_at", "checked_at"):
            values[name] = values[name].isoformat() if values[name] else None
        return values | {"found": list(self.found)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> CheckResult:
        """Back from `as_json`."""
        moments = {
            name: datetime.fromisoformat(values[name]) if values.get(name) else None
            for name in ("clears_at", "checked_at")
        }
        reason = Reasons(values["reason"]) if values.get("reason") else None
        known = {
            "check": Checks(values["check"]),
            "verdict": Verdicts(values["verdict"]),
            "who_acts": Acts(values["who_acts"]),
            "reason": reason,
            "found": tuple(values["found"]),
        }
        return cls(**{**values, **known, **moments})
