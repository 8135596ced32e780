"""What the tests of manifests do again and again."""

from __future__ import annotations

from portal.database import db, declare_writes
from portal.llm_clients.models import LLMClient
from tests.people import Browser, Page

HEAD = "apiVersion: portal/v1\nkind: LLMClient\n"


def planned(browser: Browser, text: str, expected: int = 200) -> Page:
    """What the page says of a manifest."""
    return browser.post("/manifests/plan", {"text": text}, expected)


def applied(browser: Browser, text: str) -> Page:
    """Look at the plan and press Apply; the page that follows."""
    page = planned(browser, text)
    return browser.follow(browser.post("/manifests/apply", page.values("#what-would-change form")))


def client_named(name: str) -> LLMClient:
    """The row as it is stored now."""
    db.session.rollback()
    query = db.select(LLMClient).where(LLMClient.name == name)
    declare_writes(False)  # or the test would keep others from writing
    return db.session.scalars(query.execution_options(populate_existing=True)).one()
