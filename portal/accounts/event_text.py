"""An event as one text that is the same for the same event, and its mark. Pure.

The mark is an HMAC-SHA-256 (RFC 2104) that the portal writes with the event: what somebody inserts
into the table by hand has none, so that the chain (portal/audit_log) does not take it in.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC
from typing import Any

CONTENT = ("account_id", "user_id", "action", "object_type", "object_id", "object_name")
CONTENT += ("address", "by")


def text_of(event: Any) -> str:
    """All that an event says, as JSON in a fixed order; times are UTC to the microsecond."""
    values = [getattr(event, name) for name in CONTENT]
    values.append(event.created_at.astimezone(UTC).isoformat(timespec="microseconds"))
    values += [event.before, event.after]
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def mark_of(event: Any, secret_key: str) -> str:
    """What only the portal can write: 64 hexadecimal digits."""
    key = hmac.digest(secret_key.encode(), b"portal audit event", hashlib.sha256)
    return hmac.digest(key, text_of(event).encode(), hashlib.sha256).hex()
