"""The vendors that an account can choose from, as data. All speak the OpenAI chat protocol.

Prices change: an account can overwrite every number here, and its history keeps the price it paid.
A figure that could not be confirmed is 0, never a guess.
"""

from urllib.parse import urlsplit

from portal.llm_providers.catalogue.hosts import HOSTS
from portal.llm_providers.catalogue.makers import MAKERS
from portal.llm_providers.catalogue.self_hosted import DEMO, SELF_HOSTED
from portal.llm_providers.catalogue.vendor import Model, Vendor

__all__ = ["VENDORS", "Model", "Vendor", "vendor_at", "vendor_named"]

VENDORS: tuple[Vendor, ...] = (DEMO, *MAKERS, *HOSTS, *SELF_HOSTED)


def vendor_named(name: str) -> Vendor | None:
    """The vendor by its name, None for an unknown one."""
    return next((vendor for vendor in VENDORS if vendor.name == name), None)


def vendor_at(base_url: str) -> Vendor | None:
    """The vendor that listens on the host of this address, whatever a provider is called."""
    host = urlsplit(base_url).netloc.lower()
    return _BY_HOST.get(host)


_BY_HOST = {
    urlsplit(vendor.base_url).netloc: vendor
    for vendor in reversed(VENDORS)
    if vendor.base_url and not vendor.private_address
}
