"""Settings of a zone editor are proved by using them once."""

import contextlib
import secrets

from portal.dns import Record, ZoneEditor
from portal.errors import AdapterError


def write_and_remove(editor: ZoneEditor, zone: str) -> str:
    """Write a record under a name that nobody has, remove it, and say so; raises AdapterError."""
    name = f"_portal-trial-{secrets.token_hex(8)}.{zone}"
    record = Record(name, "TXT", ("written by the portal to try out its settings",), 60)
    try:
        editor.publish(record)
    except AdapterError:
        with contextlib.suppress(AdapterError):
            editor.withdraw(record)
        raise
    editor.withdraw(record)
    if editor.read(name, "TXT").status == "found":
        raise AdapterError(
            "A record can be written in this zone but not removed again.",
            reason="not_removed",
            permanent=True,
            detail=f"{name} TXT is still served",
        )
    return f"A record was written in {zone} and removed again."
