"""What must not be seen: sealed with keys that live outside the database."""

from collections.abc import Callable

from flask import Flask, current_app

from portal.accounts import masking
from portal.vault import tokens
from portal.vault.sealing import Sealer

masking.hide_also(tokens.hidden)


def init_app(
    app: Flask, keys: tuple[str, ...], read_keys: Callable[[], tuple[str, ...]] | None = None
) -> None:
    app.extensions["portal_sealer"] = Sealer(keys, read_keys)


def current_sealer() -> Sealer:
    sealer: Sealer = current_app.extensions["portal_sealer"]
    return sealer
