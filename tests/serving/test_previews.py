"""A preview shows no part of what the account wants hidden."""

from __future__ import annotations

import pytest

from portal.database import utc_now
from portal.request_history.redaction import Redaction
from portal.request_history.storing import whole
from portal.serving import rows

pytestmark = pytest.mark.engine_independent


@pytest.mark.parametrize("shift", range(41))
def test_a_mail_address_at_the_cut_is_hidden_whole(shift: int) -> None:
    address = "secret.person.of.the.firm@mail.example.org"
    text = "x" * shift + " " + " ".join([address] * 40)
    cut = rows.preview_of(text)
    made = whole(
        {
            "created_at": utc_now(),
            "request": {},
            "question_preview": cut,
            "redaction": Redaction(("mail",), ()),
        }
    )
    assert "secret" not in made["question_preview"]
    assert "[mail]" in made["question_preview"]
