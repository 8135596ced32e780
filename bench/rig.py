"""A portal to be measured: its own folder and Redis, deployed clients of the bench provider."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from bench.processes import program
from portal import installation, schema
from portal.accounts.models import Account
from portal.app import create_worker_app
from portal.database import db
from portal.embedded_redis import EmbeddedRedis
from portal.limits import defaults
from portal.limits.models import Limits, SubjectKinds
from portal.llm_clients import registration, revisions
from portal.llm_clients.models import LLMClient
from portal.providers.models import Provider
from portal.settings import Settings

GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py")
PASSWORD = "a password for the bench"
DNS = LLMClient.DnsVerificationStatusChoices.VERIFIED
TLS = LLMClient.TlsCertificateIssuanceStatusChoices.ISSUED


@dataclass(frozen=True)
class Rig:
    """What a measurement needs to know of the portal."""

    settings: Settings
    environ: dict[str, str]
    worker: Flask


@contextlib.contextmanager
def _folder(kept: str) -> Iterator[str]:
    if kept:
        os.makedirs(kept, exist_ok=True)
        yield os.path.abspath(kept)
        return
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        yield folder


@contextlib.contextmanager
def rig(port: int, more: Mapping[str, str] | None = None, kept: str = "") -> Iterator[Rig]:
    """Tables, the first account, and a Redis of its own; gone with the block.

    `more` of the environment, where it is not that of a developer's machine. What is in the folder
    `kept` stays there, and is taken up again.
    """
    with _folder(kept) as folder:
        data = Path(folder)
        installation.make_secrets(data)
        redis = EmbeddedRedis(data / "redis")
        process = redis.start(data / "redis.log")
        environ = {
            "PORTAL_DATA_DIR": folder,
            "PORTAL_PORT": str(port),
            "REDIS_URL": redis.url,
            "PORTAL_ADMIN_PASSWORD": PASSWORD,
            **(more or {}),
        }
        settings = Settings.from_environ({**os.environ, **environ})
        worker = create_worker_app(settings)
        try:
            with worker.app_context():
                schema.upgrade(db.engine)
            installation.open_first_account(worker, settings)
            yield Rig(settings, environ, worker)
        finally:
            process.terminate()
            process.wait(10)


def _wide_limits(account_id: int, client_id: int) -> Limits:
    """Everything is counted and reserved as in life; nothing is in the way."""
    return Limits(
        account_id=account_id,
        kind=SubjectKinds.CLIENT,
        subject_id=client_id,
        address_rate=defaults.LARGEST_RATE,
        session_rate=defaults.LARGEST_RATE,
        concurrent=defaults.LARGEST_CONCURRENT,
        day_tokens=defaults.LARGEST_BUDGET,
    )


def deployed_client(found: Rig, name: str, base_url: str) -> str:
    """The host of a client that visitors may use, of a provider at this address."""
    with found.worker.app_context():
        account = db.session.scalars(db.select(Account)).one()
        db.session.add(Provider(account_id=account.id, name=name, base_url=base_url))
        profile = account.admin_profile
        assert profile is not None
        llm_client = LLMClient(
            account=account,
            account_id=account.id,
            user_profile=profile,
            name=name,
            provider=name,
            default_model="bench",
            default_system_role="You help.",
            deployed=True,
            dns_verification_status=DNS,
            tls_certificate_issuance_status=TLS,
        )
        registration.register(llm_client, profile.user)
        llm_client.published_revision = revisions.revision_of(llm_client, 1)
        db.session.add(_wide_limits(account.id, llm_client.id))
        for host in registration.hosts_of(llm_client):
            host.is_open = host.is_published = True
        db.session.commit()
        return llm_client.default_host


@contextlib.contextmanager
def web(found: Rig) -> Iterator[int]:
    """The portal's own web process as `make run` starts it."""
    command = [*GUNICORN, "wsgi:application"]
    with program(command, found.settings.port, found.environ) as pid:
        yield pid
