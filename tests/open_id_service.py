"""A provider of OpenID Connect in a thread: strict about us, and wrong where it is told to be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from portal.open_id import OpenIdProvider
from portal.sign_on_settings import RoleRule, SignOnSettings
from tests.planes import Planes

CLIENT_ID, SECRET = "portal", "a secret: of two/parts"


class OpenIdService(ThreadingHTTPServer):
    """Signs everybody in as `person`. `claims` are put over what a token would say."""

    daemon_threads = True

    def __init__(self, redirect_uri: str) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.issuer = f"http://localhost:{self.server_address[1]}"
        self.redirect_uri = redirect_uri
        self.person: dict[str, Any] = {"sub": "nora-1", "preferred_username": "Nora.Berg"}
        self.claims: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.key: Any = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.published: Any = self.key
        self.codes: dict[str, dict[str, str]] = {}
        self.refusals: list[str] = []

    def change_keys(self, key: Any) -> None:
        """From now on another key signs, and the set has it."""
        self.key = self.published = key

    @property
    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def signed(self, nonce: str) -> str:
        """An ID token for the person."""
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.person,
            **self.claims,
        }
        header = {"alg": self.algorithm, "kid": "one"}
        if self.algorithm in ("none", "HS256"):
            return self._by_a_trick(header, said)
        return jwt.encode(header, said, self.key, algorithms=[self.algorithm])

    def _by_a_trick(self, header: dict[str, Any], said: dict[str, Any]) -> str:
        """Unsigned, or with the public key taken for a shared secret, as an old trick has it."""
        text = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(said).encode())}"
        secret = self.published.as_pem(private=False)
        mac = hmac.digest(secret, text.encode(), "sha256") if self.algorithm == "HS256" else b""
        return f"{text}.{_encoded(mac)}"


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class _Requests(BaseHTTPRequestHandler):
    server: OpenIdService

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:  # noqa: N802
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path == "/.well-known/openid-configuration":
            self._json(200, self.server.configuration)
        elif path == "/keys":
            self._json(200, {"keys": [self.server.published.as_dict(private=False)]})
        elif path == "/authorize":
            self._authorize({name: values[0] for name, values in query.items()})
        else:
            self._json(404, {})

    def _authorize(self, query: dict[str, str]) -> None:
        wrong = [
            query.get("client_id") != CLIENT_ID,
            query.get("redirect_uri") != self.server.redirect_uri,
            query.get("response_type") != "code",
            "openid" not in query.get("scope", "").split(),
            query.get("code_challenge_method") != "S256",
            len(query.get("code_challenge", "")) != 43,
            len(query.get("state", "")) < 20,
            len(query.get("nonce", "")) < 20,
        ]
        if any(wrong):
            return self._refuse(f"authorize: {wrong}")
        code = secrets.token_urlsafe(16)
        self.server.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.server.issuer}
        self.send_response(302)
        self.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        granted = self.server.codes.pop(form.get("code", ""), None)
        if granted is None:
            return self._refuse("an unknown code, or one that was used")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        wrong = [
            self._basic() != (CLIENT_ID, SECRET),
            form.get("grant_type") != "authorization_code",
            form.get("redirect_uri") != granted["redirect_uri"],
            _encoded(digest) != granted["code_challenge"],
        ]
        if any(wrong):
            return self._refuse(f"token: {wrong}")
        token = self.server.signed(granted["nonce"])
        self._json(200, {"access_token": "x", "token_type": "Bearer", "id_token": token})
        return None

    def _basic(self) -> tuple[str, str]:
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        name, _, secret = base64.b64decode(value).decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) if scheme == "Basic" else ("", "")

    def _refuse(self, why: str) -> None:
        self.server.refusals.append(why)
        self._json(400, {"error": "invalid_request"})

    def _json(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def ec_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})


@pytest.fixture
def open_id(planes: Planes) -> Iterator[OpenIdService]:
    """The portal signs people on with a provider; its rules name no account yet."""
    service = OpenIdService(f"{planes.settings.platform_url}/login/sign-on/back")
    thread = threading.Thread(target=service.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    before = planes.admin.extensions["portal_adapters"]
    let_in(planes, service.issuer)
    yield service
    planes.admin.extensions["portal_adapters"] = before
    service.shutdown()
    service.server_close()
    thread.join(5)


def let_in(planes: Planes, issuer: str, *rules: RoleRule) -> None:
    """These rules hold from now on."""
    settings = SignOnSettings(
        issuer=issuer,
        client_id=CLIENT_ID,
        client_secret=SECRET,
        name="the company portal",
        rules=rules,
    )
    before = planes.admin.extensions["portal_adapters"]
    planes.admin.extensions["portal_adapters"] = replace(before, sign_on=OpenIdProvider(settings))
