"""What the tests of customers' domains share."""

from tests.custom_domains.laboratory import laboratory
from tests.custom_domains.stories import story
from tests.custom_domains.who_answers import who_answers

__all__ = ["laboratory", "story", "who_answers"]
