"""In public no account begins with a provider that answers nobody there (ASVS 15.2.3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from portal import installation
from portal.accounts.models import Account
from portal.app import create_admin_app, create_worker_app
from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages.forms import NO_PROVIDER
from portal.providers import finding
from portal.providers.models import Provider
from tests.people import Browser, MakeClient, People
from tests.planes import Planes


@pytest.fixture
def public(planes: Planes) -> Iterator[Planes]:
    """The same portal, where it is no longer somebody's own machine."""
    settings = dataclasses.replace(planes.settings, environment="prod", is_local=False)
    found = dataclasses.replace(
        planes,
        admin=create_admin_app(settings),
        worker=create_worker_app(settings),
        settings=settings,
    )
    yield found
    for app in (found.admin, found.worker):
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def alice(public: Planes, people: People) -> Browser:
    return dataclasses.replace(people, planes=public).browser(people.alice)


@pytest.mark.parametrize("is_local", [True, False])
def test_the_first_account_has_the_demo_provider_in_local_only(
    is_local: bool, planes: Planes, public: Planes
) -> None:
    chosen = planes if is_local else public
    installation.open_first_account(chosen.worker, chosen.settings)
    with chosen.worker.app_context():
        account = db.session.scalars(db.select(Account)).one()
        assert len(db.session.scalars(db.select(Provider)).all()) == int(is_local)
        assert len(finding.all_of(account)) == int(is_local)


def test_without_a_provider_the_pages_say_what_to_do_first(alice: Browser) -> None:
    assert "demo provider" not in alice.get("/").words
    assert "No provider yet" in alice.get("/providers/").words
    page = alice.get("/llm-clients/new")
    assert "The account has no provider yet" in page.words
    assert page.find("main a[href='/providers/new']").get_text() == "Add a provider"
    values = page.values("form[data-live]") | {"name": "guide", "default_model": "small"}
    page = alice.post("/llm-clients/new", values, 422)
    assert page.find("#provider-error").get_text() == f"Error:{NO_PROVIDER}"


def test_members_are_told_whom_to_ask(public: Planes, people: People) -> None:
    bob = dataclasses.replace(people, planes=public).browser(people.bob)
    page = bob.get("/llm-clients/new")
    assert "Ask an admin of the account to add one." in page.words
    assert page.html.select("main a[href='/providers/new']") == []


def test_a_client_that_named_the_demo_chooses_another(
    alice: Browser, people: People, make_client: MakeClient, public: Planes
) -> None:
    hashed_id = make_client()
    with public.worker.app_context():
        row = db.session.scalars(db.select(LLMClient).filter_by(hashed_id=hashed_id)).one()
        assert finding.by_name(row.account_id, row.provider) is None
        provider = db.session.scalars(
            db.select(Provider).filter_by(account_id=people.alice.account_id)
        ).one()
        assert finding.for_account(row.account, provider.id) is None
    assert (
        "The account has no provider named demo." in alice.get(f"/llm-clients/{hashed_id}/").words
    )
    shown = alice.get(f"/llm-clients/{hashed_id}/edit").find("#provider option[selected]")
    assert shown.get_text() == "demo, not in this account"
