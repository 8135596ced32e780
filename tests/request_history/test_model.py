"""LLMClientRequests as the mission tells it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.request_history.models import LLMClientRequests
from tests.people import MakeClient

FIELDS = "id created_at updated_at request session_key is_aggregation llm_client llm_client_id"


@pytest.fixture
def my_llm_client(make_client: MakeClient, stored: Callable[[str], LLMClient]) -> LLMClient:
    return stored(make_client("example"))


@pytest.mark.parametrize("name", FIELDS.split())
def test_every_field_of_the_mission_is_there(name: str) -> None:
    assert hasattr(LLMClientRequests, name)


def test_the_missions_example_records_and_finds_a_request(my_llm_client: LLMClient) -> None:
    db.session.add(
        LLMClientRequests(
            llm_client=my_llm_client,
            request={"message": "Hello, llm_client!"},
            session_key="abc123",
            is_aggregation=False,
        )
    )
    db.session.commit()
    query = db.select(LLMClientRequests).where(LLMClientRequests.llm_client == my_llm_client)
    [found] = db.session.scalars(query)
    assert found.request == {"message": "Hello, llm_client!"}
    assert found.account_id == my_llm_client.account_id
    of_client = db.session.scalars(my_llm_client.llmclientrequests_set.select()).all()
    assert [row.session_key for row in of_client] == ["abc123"]
