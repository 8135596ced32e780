"""A device with one passkey, in software: makes and signs as WebAuthn wants it, or wrongly."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


@dataclass
class SoftPasskey:
    """`origin` and `host` are those of the page that it believes to be on."""

    origin: str
    host: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 1
    user_handle: str = ""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def create(self, options: dict[str, Any]) -> str:
        """The answer to a registration."""
        self.user_handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id
        authenticator = self._authenticator(WITH_KEY) + attested + cbor2.dumps(public)
        made = {"fmt": "none", "attStmt": {}, "authData": authenticator}
        return self._answer(
            {
                "clientDataJSON": self._client("webauthn.create", options["challenge"]),
                "attestationObject": cbor2.dumps(made),
            }
        )

    def get(self, options: dict[str, Any]) -> str:
        """The answer to a sign-in; the counter grows."""
        self.count += 1
        authenticator = self._authenticator(0)
        client = self._client("webauthn.get", options["challenge"])
        signed = authenticator + hashlib.sha256(client).digest()
        return self._answer(
            {
                "clientDataJSON": client,
                "authenticatorData": authenticator,
                "signature": self.key.sign(signed, ec.ECDSA(hashes.SHA256())),
            },
            userHandle=self.user_handle,
        )

    def _authenticator(self, more: int) -> bytes:
        host = hashlib.sha256(self.host.encode()).digest()
        return host + bytes([self.flags | more]) + self.count.to_bytes(4)

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, bytes], **texts: str) -> str:
        number = bytes_to_base64url(self.credential_id)
        encoded = {name: bytes_to_base64url(value) for name, value in response.items()}
        found = {"id": number, "rawId": number, "type": "public-key", "clientExtensionResults": {}}
        return json.dumps({**found, "response": {**encoded, **texts}})
