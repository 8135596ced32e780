"""A key of a client, without the pages that make one."""

from __future__ import annotations

from portal.database import db
from portal.llm_clients.models import LLMClient, LLMClientAPIKey
from portal.vault import tokens
from portal.vault.models import AuthToken
from tests.serving.conftest import Visitor


def make_key(visitor: Visitor, name: str = "program") -> str:
    """A key that the visitor's client wants from now on."""
    token = tokens.make()
    with visitor.planes.worker.app_context():
        llm_client = db.session.get(LLMClient, visitor.client_id)
        assert llm_client is not None
        key = AuthToken(
            account_id=llm_client.account_id,
            prefix=token.prefix,
            secret_hash=tokens.digest(token.text),
            name=name,
        )
        db.session.add(LLMClientAPIKey(llm_client=llm_client, api_key=key))
        db.session.commit()
    return token.text
