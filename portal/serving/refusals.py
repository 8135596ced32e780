"""Prompts that were refused before they became a question have their row in the history too."""

from __future__ import annotations

import logging
import secrets

from portal.database import utc_now
from portal.llm_providers.messages import storable
from portal.request_history.recording import NotRecorded, Recorder
from portal.serving.served import Served

log = logging.getLogger(__name__)


def record_refusal(
    recorder: Recorder, served: Served, status: int, sentence: str, request_id: str = ""
) -> None:
    """One row for a prompt to an open client that was refused: no key, no JSON, too much."""
    row = {
        "llm_client_id": served.client_id,
        "account_id": served.account_id,
        "llm_client_name": served.name,
        "created_at": utc_now(),
        "request_id": request_id or secrets.token_hex(12),
        "request": {},
        "revision_number": served.revision_number,
        "hostname": served.hostname,
        "mode": str(served.mode),
        "provider": served.content.get("provider", ""),
        "model": served.content.get("default_model", ""),
        "status": status,
        "error_code": "refused",
        "error_text": storable(sentence),
    }
    try:
        recorder.record(row, None)
    except NotRecorded:
        log.warning("a refusal of client %d could not be recorded", served.client_id)
