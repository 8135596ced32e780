"""A client's certificates on a page: who issued them, until when, and what was refused why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.certificates import orders, store
from portal.database import db, utc_now
from portal.llm_clients.models import LLMClient, LLMClientHost
from tests.outside import issuance
from tests.people import MakeClient, Page, People
from tests.planes import Planes

Show = Callable[[], Page]


@pytest.fixture
def host(planes: Planes, make_client: MakeClient) -> str:
    make_client("guide")
    with planes.worker.app_context():
        return str(db.session.scalars(select(LLMClientHost)).one().hostname)


@pytest.fixture
def show(planes: Planes, people: People, host: str) -> Show:
    with planes.worker.app_context():
        path = f"/llm-clients/{db.session.scalars(select(LLMClient)).one().hashed_id}/certificates"
    return lambda: people.browser(people.vera).get(path)


def test_nothing_yet(show: Show, host: str) -> None:
    page = show()
    assert host in page.find("h2.value").get_text()
    assert "Requested once DNS is verified." in page.words


def test_issued(show: Show, host: str, planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        issued = issuance("issued", now=utc_now(), serial="ab12cd")
        store.keep(people.alice.account_id, host, issued)
        db.session.commit()
    page = show()
    assert "ab12cd" in [code.get_text() for code in page.html.select("dd code")]
    assert "Issued by Fake" in page.words


def test_refused_with_the_authoritys_words_and_what_it_counts(
    show: Show, host: str, planes: Planes, people: People
) -> None:
    account_id, now = people.alice.account_id, utc_now()
    said = issuance(
        "waiting", now=now, message="Port 80 is closed.", reason="port_80_closed",
        detail="urn:ietf:params:acme:error:connection: <refused>", refused=True,
    )  # fmt: skip
    apps = (planes.worker, planes.admin)
    for app in apps:
        app.extensions["portal_settings"] = replace(planes.settings, issuer="acme")
    try:
        with planes.worker.app_context():
            orders.take(account_id, host, host, "x", now)
            orders.record_for(account_id, host, "x", said, now + timedelta(seconds=1))
            db.session.commit()
        page = show()
    finally:
        for app in apps:
            app.extensions["portal_settings"] = planes.settings
    assert "Port 80 is closed." in page.words
    assert page.find("details pre").get_text() == said.detail
    assert "1 of 3" in page.words
    assert page.find(".card-footer a")["href"].startswith("https://letsencrypt.org/")


def test_the_status_page_leads_here(show: Show, people: People, make_client: MakeClient) -> None:
    client = make_client("other")
    page = people.browser(people.vera).get(f"/llm-clients/{client}/")
    assert page.find(f'a[href="/llm-clients/{client}/certificates"]')
