"""The vendors are data that can be used as they are."""

import pytest

from portal import outgoing
from portal.llm_providers.catalogue import VENDORS, Vendor, vendor_named

pytestmark = pytest.mark.engine_independent


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_a_vendor_is_complete(vendor: Vendor) -> None:
    assert vendor.label
    assert vendor.model(vendor.default_model) is not None
    assert all(model.output_price >= model.input_price >= 0 for model in vendor.models)
    if vendor.base_url:
        outgoing.check_url(vendor.base_url, vendor.private_address)
        assert not vendor.base_url.endswith("/")


def test_names_are_unique_and_found() -> None:
    assert len({vendor.name for vendor in VENDORS}) == len(VENDORS)
    assert vendor_named("openai") in VENDORS
    assert vendor_named("nobody") is None
