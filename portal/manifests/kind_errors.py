"""Why a document does not do what it says, with a sentence for its author."""

from __future__ import annotations

from portal.errors import PortalError


class Refused(PortalError):
    """A field cannot be as it was asked for; `field` is its name, "" for the whole."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
