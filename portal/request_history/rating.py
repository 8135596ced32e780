"""What a visitor thought of a session: helpful or not, once for the whole of it."""

from __future__ import annotations

from sqlalchemy import select

from portal.database import db
from portal.request_history.models import Prompt

HELPFUL, NOT_HELPFUL = 1, -1
WORDS = {HELPFUL: "Helpful", NOT_HELPFUL: "Not helpful"}


def session_of(llm_client_id: int | None, session_key: str) -> Prompt | None:
    """The client's session with this key; None until its first prompt is stored."""
    return db.session.scalar(
        select(Prompt).where(
            Prompt.session_key == session_key, Prompt.llm_client_id == llm_client_id
        )
    )


def rate(session: Prompt, rating: int) -> int | None:
    """Store a rating; the one that is there already is taken back. What stands afterwards."""
    session.rating = None if session.rating == rating else rating
    return session.rating
