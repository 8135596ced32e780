"""Sealing: authenticated encryption that binds a value to the row it belongs to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from cryptography.fernet import Fernet, InvalidToken

from portal.errors import PortalError

ID_LENGTH = 8


class SealError(PortalError):
    """A sealed value does not open: another key, another row, or altered text."""


def key_id(key: str) -> str:
    """By which sealed values name their key: eight hexadecimal digits of its SHA-256."""
    return hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH]


class Sealer:
    """Seals with the first key and opens with any, so that keys can be changed (rotation.py).

    `read_keys` tells what the keys are now: it is asked before anything is sealed, and where a
    value names a key that is not known, as one may have been added since this process began.
    """

    def __init__(
        self, keys: tuple[str, ...], read_keys: Callable[[], tuple[str, ...]] | None = None
    ) -> None:
        self._read_keys = read_keys
        self._texts: tuple[str, ...] = ()
        self._use(keys)

    def _use(self, keys: tuple[str, ...]) -> None:
        if keys == self._texts:
            return
        self._texts = keys
        self._keys = {key_id(key): Fernet(key) for key in keys}

    def _refresh(self) -> None:
        """Take up keys that were added, leave those that were retired."""
        if self._read_keys is not None:
            self._use(self._read_keys() or self._texts)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Of all keys that there are now; the first is the one that seals."""
        self._refresh()
        return tuple(self._keys)

    def seal(self, value: str, *, belongs_to: str) -> str:
        """Encrypt `value` for `belongs_to`, such as `provider_credential/7/3`."""
        return self._sealed(json.dumps([belongs_to, value]).encode())

    def _sealed(self, content: bytes) -> str:
        first = self.key_ids[0]
        return f"{first}.{self._keys[first].encrypt(content).decode()}"

    def open(self, sealed: str, *, belongs_to: str) -> str:
        """Decrypt; raises SealError when it does not open or belongs elsewhere."""
        try:
            owner, value = json.loads(self._content(sealed))
        except ValueError as error:
            raise SealError("A stored secret does not open with the keys we have.") from error
        if owner != belongs_to:
            raise SealError("A stored secret belongs to another place.")
        return str(value)

    def sealed_anew(self, sealed: str) -> str:
        """The same, sealed with the first key. Raises SealError."""
        return self._sealed(self._content(sealed))

    def _content(self, sealed: str) -> bytes:
        name, _, token = sealed.rpartition(".")
        if name and name not in self._keys:
            self._refresh()
        # What was sealed before values named their key is tried with all of them.
        known = {name: self._keys[name]} if name in self._keys else {}
        candidates = known if name else self._keys
        for fernet in candidates.values():
            try:
                return fernet.decrypt(token.encode())
            except InvalidToken:
                continue
        raise SealError("A stored secret does not open with the keys we have.")
