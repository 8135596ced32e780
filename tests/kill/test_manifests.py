"""Who applies a manifest is killed again and again: each document is done whole or not at all."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from portal import cli
from portal.accounts.models import Account, AuditEvent
from portal.accounts.opening import FIRST_ADMIN, open_account
from portal.database import db, reading, utc_now
from portal.llm_clients.models import LLMClient
from portal.manifests import command, export
from portal.manifests.kind import Values
from portal.providers import finding
from tests.kill.labour import at_work
from tests.kill.own_portal import PATIENCE_SECONDS, environ_of, prepared

CLIENTS, KILLS, LONGEST = 20, 5, 0.15
VERSIONS = (1, 2)
PLUGIN = """---
apiVersion: portal/v1
kind: Plugin
metadata: {name: rooms, description: Version %(version)s.}
spec: {kind: static, data: {version: %(version)s}}
"""
CLIENT = """---
apiVersion: portal/v1
kind: LLMClient
metadata: {name: guide_%(number)s, tags: [v%(version)s]}
spec: {provider: demo, defaultSystemRole: Version %(version)s., plugins: [rooms]}
---
apiVersion: portal/v1
kind: Limits
metadata: {subject: client, name: guide_%(number)s}
spec: {dayTokens: %(version)s000, monthTokens: %(version)s0000}
"""


def manifest(version: int) -> str:
    """A plugin and clients that use it, each with limits."""
    numbers = range(CLIENTS)
    clients = [CLIENT % {"number": number, "version": version} for number in numbers]
    return PLUGIN % {"version": version} + "".join(clients)


def stored(account_id: int) -> list[Values]:
    """The account as it would be exported, without what the portal saw."""
    with reading():
        db.session.expire_all()
        found = list(export.documents_of(db.session.get_one(Account, account_id)))
        db.session.rollback()
    return [{key: value for key, value in one.items() if key != "status"} for one in found]


def every_client_is_whole(account_id: int) -> Counter[int]:
    """How many are of which version; each with its host, plugin, revisions and events."""
    found: Counter[int] = Counter()
    with reading():
        db.session.expire_all()
        query = db.select(LLMClient).where(LLMClient.account_id == account_id)
        for client in db.session.scalars(query).unique():
            version = int(client.tags[0].name.removeprefix("v"))
            assert client.default_system_role == f"Version {version}."
            assert [one.plugin.name for one in client.llmclientplugin_set] == ["rooms"]
            assert client.default_host
            assert len(client.revisions) == version
            assert events_of(client) == ["created", "edited"][:version]
            found[version] += 1
        db.session.rollback()
    return found


def events_of(client: LLMClient) -> list[str]:
    query = db.select(AuditEvent.action).where(
        AuditEvent.object_type == "LLMClient",
        AuditEvent.object_id == client.id,
        AuditEvent.action != "limits_changed",
    )
    return list(db.session.scalars(query.order_by(AuditEvent.id)))


def applied_in_peace(file: Path) -> list[Values]:
    """What another account of the same admin is in the end where nobody is killed."""
    account = open_account("In peace", FIRST_ADMIN, "", "UTC")
    number, account_id = account.account_number, account.id
    finding.add_demo(account)
    db.session.commit()
    for version in VERSIONS:
        file.write_text(manifest(version))
        words = ["manifest", "apply", str(file), "--yes", "--account", number]
        assert command.run(cli.parser("manifest").parse_args(words), utc_now()) == 0
    return stored(account_id)


def test_a_repeated_apply_ends_as_if_nobody_had_been_killed(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    file = tmp_path / "account.yaml"
    environ = environ_of(tmp_path / "data", request, PORTAL_TEST_MANIFEST=str(file))
    app = prepared(environ)
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311 - no secret
    with app.app_context():
        account = db.session.scalars(db.select(Account)).one()
        account_id, environ["PORTAL_TEST_ACCOUNT"] = account.id, account.account_number
        expected = applied_in_peace(file)
        db.session.remove()
        for version in VERSIONS:
            file.write_text(manifest(version))
            seen = []
            with at_work("applying", environ, chance) as labourer:
                while labourer.kills < KILLS and labourer.process.poll() is None:
                    labourer.kill_soon(LONGEST)
                    seen.append(every_client_is_whole(account_id))
                assert labourer.process.wait(PATIENCE_SECONDS) == 0
            assert len(seen) > 2
            print(seen)
            assert every_client_is_whole(account_id) == {version: CLIENTS}
        assert stored(account_id) == expected
        db.session.remove()
        db.engine.dispose()
