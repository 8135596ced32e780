"""Sealing: authenticated encryption that binds a value to the row it belongs to."""

from __future__ import annotations

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from portal.errors import PortalError


class SealError(PortalError):
    """A sealed value does not open: another key, another row, or altered text."""


class Sealer:
    """Seals with the first key and opens with any (MultiFernet), so keys can be rotated."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, value: str, *, belongs_to: str) -> str:
        """Encrypt `value` for `belongs_to`, such as `provider_credential/7/3`."""
        return self._fernet.encrypt(json.dumps([belongs_to, value]).encode()).decode()

    def open(self, sealed: str, *, belongs_to: str) -> str:
        """Decrypt; raises SealError when it does not open or belongs elsewhere."""
        try:
            owner, value = json.loads(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValueError) as error:
            raise SealError("A stored secret does not open with the keys we have.") from error
        if owner != belongs_to:
            raise SealError("A stored secret belongs to another place.")
        return str(value)
