"""The provider: what it says of itself (Discovery 1.0), the way there, and the code for a token."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portal import fetching
from portal.errors import AdapterError
from portal.open_id import id_tokens
from portal.open_id.id_tokens import Identity
from portal.sign_on_settings import SignOnSettings

KNOWN_FOR_SECONDS = 600
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class OpenIdProvider:
    """One provider by its settings. The operator chose it, so it may be on the own network."""

    def __init__(self, settings: SignOnSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Any]] = {}

    def address(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where the person is sent to. Raises AdapterError."""
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        endpoint = str(self._configuration()["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def identity(
        self, code: str, redirect_uri: str, nonce: str, verifier: str, now: Any
    ) -> Identity:
        """Who the person with this code is. Raises AdapterError."""
        id_token = self._redeemed(code, redirect_uri, verifier)
        settings = self.settings
        arguments = {"issuer": settings.issuer, "client_id": settings.client_id, "nonce": nonce}
        known = "keys" in self._known
        try:
            return id_tokens.checked(id_token, self._keys(), now=now, **arguments)
        except AdapterError:
            if not known:
                raise
        with self._lock:  # the provider may have changed its keys since we asked
            self._known.pop("keys", None)
        return id_tokens.checked(id_token, self._keys(), now=now, **arguments)

    def _redeemed(self, code: str, redirect_uri: str, verifier: str) -> str:
        configuration = self._configuration()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._identify(configuration, form, headers)
        found = self._json(
            "POST",
            str(configuration["token_endpoint"]),
            headers=headers,
            body=urlencode(form).encode(),
        )
        id_token = found.get("id_token")
        if not isinstance(id_token, str):
            raise id_tokens.refused("no ID token")
        return id_token

    def _identify(
        self, configuration: dict[str, Any], form: dict[str, str], headers: dict[str, str]
    ) -> None:
        """Who asks (RFC 6749 section 2.3.1): in a header unless the provider wants it otherwise."""
        name, secret = self.settings.client_id, self.settings.client_secret
        ways = configuration.get("token_endpoint_auth_methods_supported")
        wants_form = isinstance(ways, list) and "client_secret_basic" not in ways
        if secret and not wants_form:
            pair = f"{quote_plus(name)}:{quote_plus(secret)}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
            return
        form["client_id"] = name
        if secret:
            form["client_secret"] = secret

    def _configuration(self) -> dict[str, Any]:
        return self._remembered("configuration", self._discovered)  # type: ignore[no-any-return]

    def _discovered(self) -> dict[str, Any]:
        issuer = self.settings.issuer
        found = self._json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise fetching.failure("malformed", "the provider calls itself otherwise")
        scheme = urlsplit(issuer).scheme
        for name in ENDPOINTS:
            if urlsplit(str(found.get(name, ""))).scheme not in ("https", scheme):
                raise fetching.failure("malformed", f"{name} is no address")
        return found

    def _keys(self) -> KeySet:
        keys: KeySet = self._remembered("keys", self._fetched_keys)
        return keys

    def _fetched_keys(self) -> KeySet:
        found = self._json("GET", str(self._configuration()["jwks_uri"]))
        keys = found.get("keys")
        signing = [key for key in keys if _signs(key)] if isinstance(keys, list) else []
        try:
            return KeySet.import_key_set({"keys": signing})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise fetching.failure("malformed", "its keys") from error

    def _remembered(self, name: str, ask: Any) -> Any:
        """What was asked for in the last ten minutes."""
        with self._lock:
            at, known = self._known.get(name, (0.0, None))
        if known is not None and time.monotonic() - at < KNOWN_FOR_SECONDS:
            return known
        found = ask()
        with self._lock:
            self._known[name] = (time.monotonic(), found)
        return found

    def _json(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        answer = fetching.fetch(method, url, allow_private=True, **options)
        if answer.status != 200:
            raise fetching.failure("malformed", f"{urlsplit(url).path}: {answer.status}")
        try:
            found = json.loads(answer.text)
        except ValueError as error:
            raise fetching.failure("malformed", urlsplit(url).path) from error
        if not isinstance(found, dict):
            raise fetching.failure("malformed", urlsplit(url).path)
        return found


def _signs(key: Any) -> bool:
    """A key that may sign ID tokens; others in the set are none of ours."""
    return (
        isinstance(key, dict) and key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig"
    )


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636 section 4.2."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
