"""What whoever edits a zone for us may say no to, in the same words for each kind of editor."""

from dataclasses import dataclass

from portal.errors import AdapterError


@dataclass(frozen=True)
class Refusals:
    """The errors of one kind of editor. `who` edits; `holder` is what has or lacks a zone there."""

    who: str
    holder: str

    def unreachable(self, detail: str) -> AdapterError:
        """Nothing is known; another try may go better."""
        message = f"{self.who} cannot be reached at the moment."
        return AdapterError(message, reason="unreachable", detail=detail)

    def throttled(self, detail: str) -> AdapterError:
        """Too much was asked for; later it will be answered."""
        message = f"{self.who} asks for fewer requests; the portal tries again later."
        return AdapterError(message, reason="throttled", detail=detail)

    def bad_key(self, detail: str) -> AdapterError:
        """The credentials are wrong or may not do this."""
        message = f"{self.who} does not accept the portal's key."
        return AdapterError(message, reason="bad_key", permanent=True, detail=detail)

    def refused(
        self, detail: str, *, reason: str = "refused", permanent: bool = True
    ) -> AdapterError:
        """The editor said no, in its own words."""
        message = f"{self.who} refused the change of the DNS record."
        return AdapterError(message, reason=reason, permanent=permanent, detail=detail)

    def no_zone(self, detail: str) -> AdapterError:
        """There is no zone around the name."""
        message = f"{self.holder} does not hold this zone."
        return AdapterError(message, reason="no_zone", permanent=True, detail=detail)


def in_use(detail: str) -> AdapterError:
    """Something that we did not see stands where we wanted to write."""
    return AdapterError(
        "There is already a DNS record under this name that the portal did not make.",
        reason="not_ours",
        permanent=True,
        detail=detail,
    )


PROVIDER = Refusals("The DNS provider", "The DNS provider's account")
NAME_SERVER = Refusals("The name server", "The name server")
