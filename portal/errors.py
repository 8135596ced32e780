"""The two kinds of failure that may reach a reader, each with a sentence for them."""


class PortalError(Exception):
    """Something was refused; `public_message` is one sentence that may be shown as it is."""

    def __init__(self, public_message: str) -> None:
        super().__init__(public_message)
        self.public_message = public_message


class AdapterError(PortalError):
    """The outside could not be reached or said no.

    `permanent` means that trying again without a change is useless. `reason` is a short code for
    programs, `detail` the outside's own words: for the account's people, never for visitors.
    """

    def __init__(
        self, public_message: str, *, reason: str = "", permanent: bool = False, detail: str = ""
    ) -> None:
        super().__init__(public_message)
        self.reason = reason
        self.permanent = permanent
        self.detail = detail
