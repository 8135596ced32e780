"""The drill: secrets are planted everywhere, everything is used, and none is found anywhere.

Each is looked for as it is, in base64 (at each of the three offsets) and in hexadecimal digits: in
every table, in the files of the database, in Redis, in logs, mails, exports, manifests, on pages.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import make_url

from portal.certificates.models import Certificate
from portal.custom_domains import zone_editing
from portal.database import db, utc_now
from portal.history_exports.models import RequestExport
from portal.notices import webhooks
from portal.notices.kinds import Kind
from portal.people import second_factors
from portal.people.models import TotpFactor
from portal.plugins import finding as plugins
from portal.plugins.models import Plugin
from portal.providers import finding
from portal.providers.models import Provider
from portal.vault import current_sealer, named
from portal.web import permission_of
from tests.answering import JSON, AnsweringServer, Asked
from tests.domain_setup.some_domains import a_domain
from tests.model_server import MODEL, completion
from tests.people import PASSWORD, Browser, MakeClient, Page, People
from tests.planes import Planes
from tests.post_office import PostOffice
from tests.serving.conftest import MakeVisitor, Visitor

pytestmark = pytest.mark.long

TSIG = base64.b64encode(b"planted-key-of-a-zone-0123456789").decode()
TYPED = {
    "provider key": "sk-planted-provider-key-0123456789abcdef",
    "named secret": "sk-planted-named-secret-0123456789abcdef",
    "plugin secret": "planted-plugin-secret-0123456789abcdef",
    "webhook header": "planted-webhook-header-0123456789abcdef",
    "zone key": TSIG,
    "password": "planted password of alice 0123456789",
}
SHORTEST = 12
Shown = dict[str, str]


def forms_of(secret: str) -> Iterator[bytes]:
    """The secret as it may lie somewhere; the ends of base64 depend on what stands beside."""
    plain = secret.encode()
    yield plain
    yield plain.hex().encode()
    for offset in range(3):
        shifted = base64.b64encode(b"\0" * offset + plain)
        yield shifted[4 if offset else 0 : len(shifted) - 4]


def held_against(where: str, content: bytes, secrets: Shown) -> list[str]:
    return [
        f"{name} in {where}"
        for name, secret in secrets.items()
        if any(form in content for form in forms_of(secret))
    ]


class Echo(AnsweringServer):
    """A provider, an HTTP interface and a receiver of webhooks that tells what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.respond = self._echo

    def _echo(self, asked: Asked) -> tuple[int, str, str]:
        told = json.dumps(asked.headers)
        if "fail" in asked.body:
            return 500, JSON, json.dumps({"error": {"message": told}})
        if asked.path.endswith("/chat/completions"):
            return completion(f"You sent {told}.")
        return 200, JSON, told


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        yield server


def plant(planes: Planes, people: People, echo: Echo) -> Shown:
    """By the verbs: what is typed, sealed, and shown once."""
    account_id = people.alice.account_id
    with planes.worker.app_context():
        own = Provider(account_id=account_id, name="own", base_url=f"{echo.url}/v1")
        other = Provider(account_id=account_id, name="other", base_url=f"{echo.url}/v1")
        own.default_model = other.default_model = MODEL
        plugin = Plugin(account_id=account_id, name="rooms", kind=Plugin.Kinds.API)
        plugin.content = {
            "method": "GET",
            "url": f"{echo.url}/rooms",
            "headers": {},
            "secret_header": "X-Secret",
            "parameters": [],
        }
        domain = a_domain(account_id, "planted.example", utc_now())
        db.session.add_all([own, other, plugin])
        db.session.flush()
        named.make(account_id, "planted", TYPED["named secret"])
        finding.set_key(own, TYPED["provider key"])
        finding.set_key(other, "secret:planted")
        plugins.set_secret(plugin, TYPED["plugin secret"])
        webhook, webhook_secret = webhooks.make(
            account_id, "program", f"{echo.url}/hook", [kind.value for kind in Kind]
        )
        webhooks.set_authorization(webhook, f"Bearer {TYPED['webhook header']}")
        domain.zone_editor = "rfc2136"
        domain.zone_editor_settings = {"zone": "planted.example", "server": "127.0.0.1"}
        domain.zone_editor_settings |= {"key_name": "planted", "port": "9"}
        domain.sealed_settings = current_sealer().seal(
            json.dumps({"secret": TSIG}), belongs_to=zone_editing._belongs_to(domain)
        )
        db.session.commit()
        return {"webhook secret": webhook_secret}


def shown_once(alice: Browser) -> Shown:
    """Keys whose text a page shows a single time; and another password."""
    created = alice.post("/api-keys/new", {"name": "program"}, expected=200)
    made = alice.post(
        "/account/tokens",
        {"name": "nightly", "current": PASSWORD, "may_write": "write", "days": "30"},
        expected=200,
    )
    changed = {"current": PASSWORD, "password": TYPED["password"], "again": TYPED["password"]}
    alice.post("/account/password", changed)
    return {"api key": longest_word(created), "personal token": longest_word(made)}


def longest_word(page: Page) -> str:
    """What is shown once stands alone."""
    values = [str(one.get("value", "")) for one in page.html.select("main input")]
    words = re.findall(r"\S+", page.find("main").get_text(" ")) + values
    return max((word for word in words if re.fullmatch(r"[\w-]{30,}", word)), key=len)


def of_the_portal(planes: Planes) -> Shown:
    settings = planes.settings
    return {
        "master key": settings.encryption_keys[0],
        "secret key": settings.secret_key,
        "internal token": settings.internal_token,
        "tsig secret": settings.tsig_secret,
    }


def second_factor(planes: Planes, people: People) -> Shown:
    with planes.worker.app_context():
        factor = db.session.scalars(db.select(TotpFactor)).one()
        factor.confirmed_at = utc_now()  # until then its page shows the key
        db.session.commit()
        return {"key of the app": second_factors.key_of(factor)}


def certificate_keys(planes: Planes) -> Shown:
    """A line out of the middle of each private key."""
    with planes.worker.app_context():
        found = db.session.scalars(db.select(Certificate).where(Certificate.sealed_key != "")).all()
        keys = {
            f"key of {one.hostname}": current_sealer().open(
                one.sealed_key, belongs_to=f"certificate/{one.hostname}"
            )
            for one in found
        }
    return {name: text.splitlines()[2] for name, text in keys.items()}


def use_everything(
    planes: Planes, visitors: list[Visitor], alice: Browser, run_jobs: Callable[..., int]
) -> None:
    """Prompts that are echoed and that fail, tests, exports, deployments, notices."""
    for one in visitors:
        one.prompt("Tell me all.")
        one.prompt("fail")
    for path in ("/providers/", "/plugins/"):
        for link in {str(a["href"]) for a in alice.get(path).html.select("tbody a, main li a")}:
            if re.fullmatch(rf"{path}\d+/(edit)?", link):
                alice.raw("POST", link.removesuffix("edit") + "test", data=token_of(alice))
    for kind in ("csv", "jsonl"):
        alice.raw("POST", "/requests/exports/", data={**token_of(alice), "format": kind})
    run_jobs()


def token_of(alice: Browser) -> dict[str, str]:
    return {"csrf_token": alice.token()}


def everywhere(planes: Planes, alice: Browser, mails: PostOffice) -> Iterator[tuple[str, bytes]]:
    """Name and content of every place."""
    with planes.worker.app_context():
        for table in db.metadata.sorted_tables:
            rows = db.session.execute(db.select(table)).all()
            yield f"table {table.name}", repr([tuple(row) for row in rows]).encode()
        exports = db.session.scalars(db.select(RequestExport)).all()
        names = [export.file_name for export in exports]
        db.session.rollback()
    url = make_url(planes.settings.database_url)
    if url.drivername.startswith("sqlite"):
        for end in ("", "-wal"):
            path = Path(f"{url.database}{end}")
            if path.exists():
                yield path.name, path.read_bytes()
    for name in names:
        for path in planes.settings.data_dir.rglob(name):
            yield f"export {name}", path.read_bytes()
    yield "mails", repr(mails.deliver()).encode()
    with redis.Redis.from_url(planes.settings.redis_url) as connection:
        for key in connection.scan_iter():
            yield f"Redis {key!r}", key + (connection.dump(key) or b"")
    for path in pages(planes):
        yield path, alice.raw("GET", path).data


def pages(planes: Planes) -> Iterator[str]:
    """Every address of the admin plane that wants no number, and those of the first things."""
    for rule in planes.admin.url_map.iter_rules():
        declared = permission_of(planes.admin, rule.endpoint)
        if declared is None or "GET" not in (rule.methods or set()):
            continue
        if not rule.arguments:
            yield rule.rule
        elif rule.arguments <= {"provider_id", "plugin_id", "custom_domain_id", "webhook_id"}:
            for number in ("1", "2", "3", "4"):
                yield re.sub(r"<[^>]+>", number, rule.rule)


def test_no_secret_is_found_anywhere(
    planes: Planes,
    people: People,
    make_visitor: MakeVisitor,
    make_client: MakeClient,
    run_jobs: Callable[..., int],
    post_office: PostOffice,
    echo: Echo,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    alice = people.browser(people.alice)
    secrets = {**TYPED, **plant(planes, people, echo), **shown_once(alice)}
    alice.post("/account/second-factor/begin", {"current": TYPED["password"]})
    secrets |= second_factor(planes, people) | of_the_portal(planes)
    hashed_id = make_client("deployed")
    alice.post(f"/llm-clients/{hashed_id}/deploy", {"confirm": "yes"})
    visitors = [
        make_visitor("first", provider="own", default_model=MODEL),
        make_visitor("second", provider="other", default_model=MODEL),
    ]
    use_everything(planes, visitors, alice, run_jobs)
    keys = certificate_keys(planes)
    assert keys
    secrets |= keys
    assert all(len(secret) >= SHORTEST for secret in secrets.values())
    used = " ".join(json.dumps(asked.headers) for asked in echo.asked)
    for name in ("provider key", "named secret", "plugin secret"):
        assert TYPED[name] in used, f"{name} was not used"
    places = {**dict(everywhere(planes, alice, post_office)), "logs": caplog.text.encode()}
    for beginning in ("table secrets", "export ", "mails", "Redis ", "/secrets/", "/api/"):
        assert any(name.startswith(beginning) for name in places), beginning
    assert [
        problem
        for where, content in places.items()
        for problem in held_against(where, content, secrets)
    ] == []


@pytest.mark.engine_independent
@pytest.mark.parametrize("offset", range(3))
def test_what_is_looked_for_would_be_found(offset: int) -> None:
    secret = TYPED["provider key"]
    around = b"x" * offset + secret.encode() + b"yz"
    for content in (around, base64.b64encode(around), around.hex().encode()):
        assert held_against("here", content, {"key": secret}) == ["key in here"]
    assert held_against("here", b"nothing of it", {"key": secret}) == []
