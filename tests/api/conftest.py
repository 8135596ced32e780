"""A person's program: a token, and answers that are held against the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from portal.accounts.models import UserProfile
from portal.database import db, utc_now
from portal.people import personal_tokens
from tests.people import People, Person
from tests.planes import Planes


@dataclass
class Program:
    """Calls with one token; `called` are the operations that it has called."""

    client: FlaskClient
    base: str
    token: str
    document: dict[str, Any]
    called: set[tuple[str, str]] = field(default_factory=set)

    def raw(self, method: str, path: str, **options: Any) -> Any:
        """A request as it is, with the token."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        url = f"/api/v1{path}"
        return self.client.open(url, method=method, base_url=self.base, headers=headers, **options)

    def call(self, method: str, path: str, expected: int = 200, **options: Any) -> Any:
        """The answer's JSON, checked against the document."""
        answer = self.raw(method, path, **options)
        told = answer.get_data(as_text=True)
        assert answer.status_code == expected, f"{answer.status_code}: {told}"
        template, operation = self._operation(method, path)
        self.called.add((method, template))
        described = operation["responses"][str(expected)]
        for media_type, content in described.get("content", {}).items():
            assert answer.mimetype == media_type
            if media_type.endswith("json"):
                self._check(answer.get_json(), content["schema"])
        return answer.get_json() if answer.mimetype.endswith("json") else told

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        plain = f"/api/v1{path.partition('?')[0]}"
        for template, methods in self.document["paths"].items():
            pattern = re.sub(r"{\w+}", "[^/]+", template)
            if re.fullmatch(pattern, plain) and method.lower() in methods:
                return template, methods[method.lower()]
        raise AssertionError(f"{method} {path} is not in the document")

    def _check(self, value: Any, schema: dict[str, Any]) -> None:
        whole = {**schema, "components": self.document["components"]}
        errors = [one.message for one in Draft202012Validator(whole).iter_errors(value)]
        assert errors == [], errors


MakeProgram = Callable[..., Program]


@pytest.fixture
def make_program(planes: Planes, people: People) -> MakeProgram:
    """A program of a person (Alice unless said) that may write unless said."""

    def make(person: Person | None = None, *, may_write: bool = True) -> Program:
        owner, now = person or people.alice, utc_now()
        with planes.worker.app_context():
            profile = db.session.get_one(UserProfile, owner.profile_id)
            ends = now + timedelta(days=1)
            made = personal_tokens.make(profile, "test", may_write, ends, now)
            db.session.commit()
        client = planes.api.test_client()
        base = f"http://{planes.settings.platform_domain}"
        document = client.get("/api/v1/openapi.json", base_url=base).get_json()
        return Program(client, base, made.text, document)

    return make
