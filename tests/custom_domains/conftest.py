"""What the tests of customers' domains share."""

from tests.custom_domains.laboratory import laboratory

__all__ = ["laboratory"]
