"""The zone editor of the local environment: real dynamic updates to the embedded name server."""

from typing import ClassVar

from portal.dns import SettingField
from portal.dns.rfc2136 import Rfc2136ZoneEditor


class LocalZoneEditor(Rfc2136ZoneEditor):
    """Address and key come from the portal's own settings, so its form has nothing to fill in.

    A zone that the server does not have yet, such as a customer's shop.test, comes with its first
    record.
    """

    settings: ClassVar[tuple[SettingField, ...]] = ()
