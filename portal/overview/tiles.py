"""The tiles of a page of usage: each number with what was before, in words."""

from __future__ import annotations

from flask import url_for

from portal.charts import DURATION, Tile
from portal.charts.shares import share_in_words
from portal.formatting import money, number, plural
from portal.overview.figures import Figures
from portal.overview.scope import Scope
from portal.usage import histograms
from portal.usage.histograms import Counts
from portal.usage.tallies import Tally

NOTHING = "Nothing to compare with"


def of(figures: Figures, scope: Scope) -> list[Tile]:
    """All but the budget's."""
    now, before = figures.total, figures.total_before
    label = figures.span.previous.label.lower()
    listed = {**figures.span.query, **scope.kept}
    unanswered = {**listed, "status": "unanswered"}
    currency = scope.account.currency
    return [
        Tile(
            "Requests",
            number(now.requests),
            compared(now.requests, before.requests, label),
            url=url_for("request_history.index", **listed),
        ),
        Tile(
            "Answered without error",
            share(now),
            _unanswered(now, before),
            url=url_for("request_history.index", **unanswered),
        ),
        Tile(
            "95% answered within",
            _within(now.latencies, "No answers"),
            _spread(now.latencies, before.latencies),
        ),
        Tile(
            "First word within (95%)",
            _within(now.first_tokens, "No answers"),
            _spread(now.first_tokens, before.first_tokens),
        ),
        Tile(
            "Sessions begun",
            number(now.sessions),
            compared(now.sessions, before.sessions, label),
        ),
        Tile(
            "Tokens in and out",
            number(now.tokens),
            f"{number(now.tokens_in)} in, {number(now.tokens_out)} out;"
            f" {compared(now.tokens, before.tokens, label).lower()}",
        ),
        Tile(
            "Cost",
            money(now.cost_micros, currency),
            compared(now.cost_micros, before.cost_micros, label, "less"),
        ),
    ]


def compared(now: int, before: int, label: str, fewer: str = "fewer") -> str:
    """`12% more than before`; money is `less`, what is counted is `fewer`."""
    if not before:
        return f"None in the {label}"
    change = round(100 * (now - before) / before)
    if change == 0:
        same = "As much" if fewer == "less" else "As many"
        return f"{same} as before" if now == before else f"About {same.lower()} as before"
    return f"{number(abs(change))}% {'more' if change > 0 else fewer} than before"


def share(sums: Tally) -> str:
    """How many were answered: `99.6%`, never more than it is."""
    if not sums.requests:
        return "No requests"
    return f"{1000 * sums.answered // sums.requests / 10:.1f}%"


def _unanswered(now: Tally, before: Tally) -> str:
    told = [
        words
        for count, words in (
            (now.failed, f"{number(now.failed)} failed"),
            (now.refused, f"{number(now.refused)} refused"),
            (now.cancelled, plural(now.cancelled, "visitor left", "visitors left")),
        )
        if count
    ]
    what = ", ".join(told) or "None failed"
    return f"{what}; {share(before)} before" if before.requests else f"{what}; none before"


def _within(found: Counts, nothing: str) -> str:
    quantile = histograms.quantile(found, 0.95)
    return nothing if quantile is None else DURATION.in_words(quantile)


def _spread(now: Counts, before: Counts) -> str:
    """`Half within 1.2 s, 99% within 6.0 s; 0.2 s slower than before`."""
    half, most = histograms.quantile(now, 0.5), histograms.quantile(now, 0.99)
    slow, slow_before = histograms.quantile(now, 0.95), histograms.quantile(before, 0.95)
    if half is None or most is None or slow is None:
        return NOTHING if slow_before is None else f"{DURATION.in_words(slow_before)} before"
    spread = f"Half within {DURATION.in_words(half)}, 99% within {DURATION.in_words(most)}"
    if slow_before is None:
        return spread
    if slow == slow_before:
        return f"{spread}; as quick as before"
    change = DURATION.in_words(abs(slow - slow_before))
    return f"{spread}; {change} {'slower' if slow > slow_before else 'quicker'} than before"


def errors(sums: Tally) -> str:
    """The share of what was not answered."""
    return share_in_words(sums.requests - sums.answered, sums.requests)
