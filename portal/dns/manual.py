"""A zone that somebody else edits: the portal says what to enter and looks."""

from collections.abc import Mapping
from typing import ClassVar, Self

from portal.dns import Answer, AwaitingOwner, Record, SettingField


class ManualZoneEditor:
    """Tells the owner of the zone what to do; changes nothing itself."""

    settings: ClassVar[tuple[SettingField, ...]] = ()

    @classmethod
    def from_settings(
        cls, values: Mapping[str, str], *, allow_private_addresses: bool = False
    ) -> Self:
        """There is nothing to set."""
        return cls()

    def publish(self, record: Record) -> AwaitingOwner:
        """Ask the owner to enter the record."""
        return AwaitingOwner(
            f"Enter the {record.type} record {record.name} where this domain's DNS is managed.",
            (record,),
        )

    def withdraw(self, record: Record) -> AwaitingOwner:
        """Ask the owner to remove the record."""
        return AwaitingOwner(
            f"Remove the {record.type} record {record.name} where this domain's DNS is managed.",
            (record,),
        )

    def read(self, name: str, type: str) -> Answer:
        """This editor knows no server; ask the resolver."""
        return Answer("could_not_ask", detail="records entered by hand are read by the resolver")

    def try_out(self) -> str:
        """There is nothing to prove."""
        return "There is nothing to try out: the records of this zone are entered by hand."
