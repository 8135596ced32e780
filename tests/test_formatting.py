"""How amounts of money and sizes of files read."""

import pytest

from portal.formatting import exact_decimal, money, octets_in_words

pytestmark = pytest.mark.engine_independent


@pytest.mark.parametrize(
    ("micros", "currency", "words"),
    [
        (1_200_000, "USD", "US$ 1.20"),
        (4_200, "EUR", "€ 0.0042"),
        (0, "USD", "US$ 0.00"),
        (1, "EUR", "€ 0.000001"),
        (4_233, "EUR", "€ 0.004233"),
        (9_999, "USD", "US$ 0.009999"),
        (10_000, "USD", "US$ 0.01"),
        (14_999, "USD", "US$ 0.01"),
        (15_000, "USD", "US$ 0.02"),
        (999_995_000, "GBP", "£ 1,000.00"),
        (1_234_567_890_000, "EUR", "€ 1,234,567.89"),
        (2_500_000, "SEK", "SEK 2.50"),
        (-2_500_000, "USD", "US$ -2.50"),
        (-4_200, "USD", "US$ -0.0042"),
    ],
)
def test_an_amount_reads_with_its_sign(micros: int, currency: str, words: str) -> None:
    assert money(micros, currency) == words


@pytest.mark.parametrize(
    ("micros", "words"),
    [(150_000, "0.15"), (75_000, "0.075"), (2_000_000, "2.00"), (0, "0.00"), (1, "0.000001")],
)
def test_a_price_is_told_in_full(micros: int, words: str) -> None:
    assert exact_decimal(micros) == words


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 KB"),
        (48_240, "48.2 KB"),
        (999_949, "999.9 KB"),
        (999_950, "1.0 MB"),
        (1_300_000_000, "1.3 GB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_a_size_reads_in_thousands(octets: int, words: str) -> None:
    assert octets_in_words(octets) == words
