"""What the tests of customers' domains share."""

from tests.custom_domains.laboratory import laboratory
from tests.custom_domains.stories import story

__all__ = ["laboratory", "story"]
