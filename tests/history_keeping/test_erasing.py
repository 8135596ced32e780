"""What is erased is nowhere: not in bodies, not in the index, not in the file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.history_keeping import jobs
from portal.history_keeping.models import HistoryErasure
from portal.history_search.index import Hunt, index_of
from portal.llm_clients.models import LLMClient
from portal.request_history.models import LLMClientRequests, Prompt
from tests.history_keeping.conftest import Asked

WORDS = "xylophonecarrot"
Kinds = HistoryErasure.Kinds


def erase(account: Account, kind: HistoryErasure.Kinds, subject: str) -> HistoryErasure:
    wish = HistoryErasure(
        account_id=account.id, kind=kind, subject=subject, next_attempt_at=utc_now()
    )
    db.session.add(wish)
    db.session.commit()
    for _ in range(10):
        jobs.erase_history(wish.id)
        db.session.refresh(wish)
        if wish.finished_at:
            return wish
    raise AssertionError("it does not end")


@pytest.mark.parametrize("kind", Kinds)
def test_nothing_of_it_is_left_anywhere(
    kind: HistoryErasure.Kinds,
    account: Account,
    client: LLMClient,
    asked: Asked,
    dump: Callable[[], str],
) -> None:
    subjects = {
        Kinds.SESSION: "s1",
        Kinds.VISITOR: "visitor of s1",
        Kinds.CLIENT: str(client.id),
    }
    for _ in range(3):
        asked(1, words=WORDS, session="s1")
    if kind != Kinds.CLIENT:
        asked(1, words="other", session="s2")
    session = db.session.scalars(db.select(Prompt).filter_by(session_key="s1")).one()
    session.note = f"a note about {WORDS}"
    db.session.commit()
    assert WORDS in dump()
    wish = erase(account, kind, subjects[kind])
    assert (wish.erased, wish.subject) == (3, "")
    assert WORDS not in dump()
    hunt = Hunt(account.id, None, (WORDS,), 0)
    assert list(index_of(db.session.connection()).find(db.session.connection(), hunt)) == []
    kept = db.session.scalars(db.select(LLMClientRequests.session_key)).all()
    assert kept == ([] if kind == Kinds.CLIENT else ["s2"])
    assert db.session.scalars(db.select(Prompt.session_key)).all() == kept


def test_another_accounts_session_of_the_same_name_stays(account: Account, asked: Asked) -> None:
    asked(1, session="s1")
    other = HistoryErasure(
        account_id=account.id, kind=Kinds.SESSION, subject="s9", next_attempt_at=utc_now()
    )
    db.session.add(other)
    db.session.commit()
    jobs.erase_history(other.id)
    assert len(db.session.scalars(db.select(LLMClientRequests.id)).all()) == 1
