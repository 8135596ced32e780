"""The account's things as manifests, in the order in which they can be applied."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any

from portal.accounts.models import Account
from portal.llm_clients import images
from portal.manifests.kind import Values
from portal.manifests.kinds import KINDS
from portal.manifests.writing import text_of

PART = 65_536  # octets


def client_text(llm_client: Any) -> str:
    """One client's manifest."""
    return text_of([KINDS["LLMClient"].document(llm_client)])


def documents_of(account: Account, client_name: str = "") -> Iterator[Values]:
    """Everything of an account, or only the clients of a name with their images."""
    if client_name:
        yield from _documents_of_client(account, client_name)
        return
    for kind in KINDS.values():
        yield from kind.documents(account)


def _documents_of_client(account: Account, name: str) -> Iterator[Values]:
    """The clients of a name, with the images that they show before them."""
    for image in images.shown_by_clients(account.id, name):
        yield KINDS["Image"].document(image)
    for found in KINDS["LLMClient"].documents(account):
        if found["metadata"]["name"] == name:
            yield found


def account_file(account: Account) -> IO[bytes]:
    """Everything of an account, in a file without a name that is gone when it is closed.

    Written one by one, so that images are not in memory together; whole before it is sent, so that
    no transaction waits for a slow reader and a fault is an error page, not half a file.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - `parts_of` closes it
    for document in documents_of(account):
        file.write(text_of([document]).encode())
    file.seek(0)
    return file


def parts_of(file: IO[bytes]) -> Iterator[bytes]:
    """What is in it, and then it is gone."""
    with file:
        while part := file.read(PART):
            yield part
