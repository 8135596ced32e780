"""Alice owns, Bob works with her, Vera looks on, Charlie is a stranger; each has a browser."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lxml.etree
import lxml.html
import pytest
from argon2 import PasswordHasher
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from portal.accounts import passwords, signing_in
from portal.accounts.models import Account, Role, User, UserProfile
from portal.database import db, utc_now
from portal.llm_clients import registration
from portal.llm_clients.models import LLMClient
from portal.providers import finding
from tests.planes import Planes
from tests.stored_rows import Rows

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"|name="csrf-token" content="([^"]+)"')
PASSWORD = "correct horse battery staple"
# A third of a second of work for each password is right in the product and hours in a test run.
STRONG = passwords._hasher
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD_HASH = passwords.hashed(PASSWORD)


SEEN_FIELDS = "(//input[not(@type='hidden')] | //textarea | //select)[not(@aria-label)]"
OPEN_POSTS = "//form[@method='post'][not(.//input[@name='csrf_token'])]"
_PARSER = lxml.html.HTMLParser(encoding="utf-8")
_READ = lxml.etree.XPath(
    "//body//text()[not(parent::script or parent::style or ancestor::template)]"
)


class Page:
    """An answer, with its HTML parsed and held against the rules of the house."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status: int = response.status_code
        self.text: str = response.get_data(as_text=True)
        self.location: str = response.headers.get("Location", "")

    @cached_property
    def html(self) -> BeautifulSoup:
        return BeautifulSoup(self.text, "lxml")

    def find(self, selector: str) -> Tag:
        """The first element of a CSS selector; fails when there is none."""
        found = self.html.select_one(selector)
        assert found is not None, f"no {selector} on the page"
        return found

    @cached_property
    def _tree(self) -> lxml.html.HtmlElement:
        """The page for those who only read: made in a tenth of the time that `html` takes."""
        return lxml.html.document_fromstring(self.text.encode(), parser=_PARSER)

    @cached_property
    def words(self) -> str:
        """What a person reads, with single spaces."""
        return " ".join(" ".join(_READ(self._tree)).split()) if self.text.strip() else ""

    @property
    def token(self) -> str:
        """The CSRF token that the page carries."""
        found = TOKEN.search(self.text)
        return next(filter(None, found.groups()), "") if found else ""

    @cached_property
    def fields(self) -> dict[str, list[Tag]]:
        """What the forms of the page ask for, by name; several have one name in a group."""
        found: dict[str, list[Tag]] = {}
        for field in self.html.select("main form [name]"):
            found.setdefault(str(field["name"]), []).append(field)
        return found

    def values(self, selector: str = "main form") -> dict[str, Any]:
        """What a browser would send of a form as it stands."""
        sent: dict[str, Any] = {}
        for field in self.find(selector).select("input[name], textarea[name], select[name]"):
            name, kind = str(field["name"]), field.get("type", "")
            if kind in ("checkbox", "radio") and not field.has_attr("checked"):
                continue
            if field.name == "textarea":
                sent[name] = field.get_text().removeprefix("\n")
            elif field.name == "select":
                chosen = field.select_one("option[selected]") or field.select_one("option")
                sent[name] = str(chosen["value"]) if chosen else ""
            else:
                sent[name] = str(field.get("value", ""))
        return sent

    def obeys_the_house(self) -> None:
        """One h1, the title begins with it or names it, labels, unique ids, nothing inline."""
        page = self._tree
        headings = page.xpath("count(//h1)")
        assert headings == 1, f"{headings} h1"
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids)), f"ids twice: {[i for i in ids if ids.count(i) > 1]}"
        assert not page.xpath("//*[@style or @onclick] | //style | //script[not(@src)]")
        labelled = set(page.xpath("//label/@for"))
        for field in page.xpath(SEEN_FIELDS):
            assert field.get("id") in labelled, f"no label for {lxml.html.tostring(field)}"
        assert not page.xpath(OPEN_POSTS), "a POST without a token"


class Browser:
    """A person's browser on the admin plane, without script."""

    def __init__(self, app: Flask, client: FlaskClient) -> None:
        self._app = app
        self._client = client
        self._host = app.extensions["portal_settings"].platform_domain

    def get(self, path: str, expected: int = 200, **options: Any) -> Page:
        """Fetch a page; an HTML page of 200 must obey the house."""
        page = self._page(self._client.get(path, base_url=self._base, **options), expected)
        if expected == 200 and "<html" in page.text:
            page.obeys_the_house()
        return page

    def post(self, path: str, data: dict[str, Any] | None = None, expected: int = 303) -> Page:
        """Send a form, with a token of this session."""
        values = {"csrf_token": self.token(), **(data or {})}
        response = self._client.post(path, base_url=self._base, data=values)
        return self._page(response, expected)

    def follow(self, page: Page) -> Page:
        """Where a page led to."""
        return self.get(page.location)

    def raw(self, method: str, path: str, **options: Any) -> Any:
        """A request as it is, nothing added."""
        return self._client.open(path, method=method, base_url=self._base, **options)

    def token(self) -> str:
        """The CSRF token that any page of this browser's session would carry (Flask-WTF's form)."""
        with self._client.session_transaction(base_url=self._base) as session:
            secret = session.setdefault("csrf_token", secrets.token_hex(20))
        signer = URLSafeTimedSerializer(self._app.secret_key or "", salt="wtf-csrf-token")
        return str(signer.dumps(secret))

    @property
    def _base(self) -> str:
        return f"http://{self._host}"

    def _page(self, response: Any, expected: int) -> Page:
        page = Page(response)
        assert page.status == expected, f"{page.status}: {page.words[:500]}"
        return page


@dataclass(frozen=True)
class Person:
    """Someone with a profile; ids only, so that no session is held."""

    user_id: int
    profile_id: int
    account_id: int
    username: str


@dataclass(frozen=True)
class People:
    """Who there is, and how to look through their eyes."""

    planes: Planes
    alice: Person
    bob: Person
    vera: Person
    charlie: Person

    def browser(self, person: Person | None = None) -> Browser:
        """A browser in which the person is signed in; nobody without one."""
        client = self.planes.admin.test_client()
        if person is not None:
            with self.planes.admin.app_context():
                user = db.session.get_one(User, person.user_id)
                token = signing_in.open_session(user, "127.0.0.1", "test", utc_now())
                db.session.commit()
            host = f"http://{self.planes.settings.platform_domain}"
            with client.session_transaction(base_url=host) as session:
                session["_user_id"] = token
                session["_fresh"] = True
        return Browser(self.planes.admin, client)


def _account(name: str, timezone: str = "Europe/Berlin") -> Account:
    account = Account(company_name=name, timezone=timezone)
    db.session.add(account)
    db.session.flush()
    finding.add_demo(account)
    return account


def _person(username: str, account: Account, role: Role) -> Person:
    user = User(username=username, password_hash=PASSWORD_HASH)
    profile = UserProfile(user=user, account=account, role=role)
    db.session.add_all([user, profile])
    db.session.flush()
    if role == Role.ADMIN and account.admin_profile is None:
        account.admin_profile = profile
        db.session.flush()
    return Person(user.id, profile.id, account.id, username)


def _made(planes: Planes) -> People:
    birkenhof, elsewhere = _account("Birkenhof Media"), _account("Elsewhere")
    found = People(
        planes=planes,
        alice=_person("alice", birkenhof, Role.ADMIN),
        bob=_person("bob", birkenhof, Role.MEMBER),
        vera=_person("vera", birkenhof, Role.VIEWER),
        charlie=_person("charlie", elsewhere, Role.ADMIN),
    )
    db.session.commit()
    return found


@pytest.fixture(scope="session")
def made_people() -> list[tuple[People, Rows]]:
    """The people of the first test that wanted them, with their rows for the tests to come."""
    return []


@pytest.fixture
def people(planes: Planes, made_people: list[tuple[People, Rows]]) -> People:
    """Two accounts: Birkenhof with three people, and the stranger's."""
    with planes.worker.app_context():
        if made_people:
            found, rows = made_people[0]
            rows.write_again(utc_now())
        else:
            were_empty = not Rows(utc_now())
            found = _made(planes)
            made_people.extend([(found, Rows(utc_now()))] if were_empty else [])
    return found


MakeClient = Callable[..., str]


@pytest.fixture
def make_client(planes: Planes, people: People) -> MakeClient:
    """Create a client of a person (Alice unless said) and return its hashed id."""

    def make(name: str = "example", owner: Person | None = None, **columns: Any) -> str:
        person = owner or people.alice
        with planes.worker.app_context():
            profile = db.session.get_one(UserProfile, person.profile_id)
            values = {"default_model": "demo", "default_system_role": "You help.", **columns}
            llm_client = LLMClient(
                account=profile.account,
                account_id=profile.account_id,
                user_profile=profile,
                name=name,
                **values,
            )
            registration.register(llm_client, profile.user)
            db.session.commit()
            return str(llm_client.hashed_id)

    return make


@pytest.fixture
def stored(database: None) -> Callable[[str], LLMClient]:
    """The row of a hashed id, read anew."""

    def find(hashed_id: str) -> LLMClient:
        db.session.rollback()
        query = db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
        return db.session.scalars(query).one()

    return find
