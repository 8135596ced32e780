"""The limits that hold where nobody set any. Numbers; README and docs/limits.md name them too."""

from __future__ import annotations

ADDRESS_RATE = 60  # prompts a minute from one address, to a client that wants no key
SESSION_RATE = 30  # prompts a minute in one session
API_RATE = 600  # requests a minute of the JSON API with one person’s token
KEY_RATE = 1_200  # prompts a minute with one key
CLIENT_CONCURRENT = 200  # answers under way at the same time
ACCOUNT_CONCURRENT = 1_000
PUBLIC_DAY_TOKENS = 1_000_000  # of a client that wants no key
CHEAPER_PERCENT = 120  # how far the cheaper model may go beyond a budget, in percent of it
LARGEST_RATE = 100_000
LARGEST_CONCURRENT = 10_000
LARGEST_BUDGET = 10**15
