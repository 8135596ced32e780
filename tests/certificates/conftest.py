"""The verbs of certificates in an application context, with settings of an ACME authority."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from flask import current_app

from portal.adapters import Adapters
from portal.database import db, utc_now
from portal.issuer_settings import AcmeSettings
from portal.settings import Settings
from tests.outside import FakeOutside
from tests.people import People


@pytest.fixture
def with_acme(database: None, settings: Settings) -> Iterator[Settings]:
    """The worker's application as if PORTAL_ISSUER were acme."""
    app = current_app._get_current_object()
    chosen = replace(settings, issuer="acme", acme=AcmeSettings(wildcards=True))
    app.extensions["portal_settings"] = chosen
    yield chosen
    app.extensions["portal_settings"] = settings


@pytest.fixture
def fake(database: None) -> Iterator[FakeOutside]:
    """An outside that does as it is told, for jobs too."""
    app = current_app._get_current_object()
    real: Adapters = app.extensions["portal_adapters"]
    found = FakeOutside()
    app.extensions["portal_adapters"] = found.adapters()
    yield found
    app.extensions["portal_adapters"] = real


@pytest.fixture
def account_id(people: People, database: None) -> int:
    return people.alice.account_id


@pytest.fixture
def now() -> datetime:
    return utc_now()


@pytest.fixture
def saved() -> Callable[[], None]:
    """Commit and forget what the session knows."""

    def save() -> None:
        db.session.commit()
        db.session.expire_all()

    return save
