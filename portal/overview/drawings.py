"""The charts of a page of usage; each answers a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import url_for

from portal.charts import (
    REQUESTS,
    SESSIONS,
    TOKENS,
    BarChart,
    Line,
    LineChart,
    Part,
    Place,
    Share,
    ShareList,
    Unit,
    bars,
    lines,
    money_in,
)
from portal.overview import causes
from portal.overview.figures import Figures
from portal.overview.scope import Scope
from portal.usage import histograms
from portal.usage.histograms import Counts
from portal.usage.tallies import Tally

SHARES = ((0.99, "99% within", lines.FAINT), (0.95, "95% within", lines.MAIN))
HALF = (0.5, "Half within", lines.SOFT)
MOST_CAUSES = 8
Read = Callable[[Tally], int]


@dataclass(frozen=True)
class Drawing:
    """What all charts of a page share."""

    figures: Figures
    scope: Scope
    places: tuple[Place, ...]
    select_url: str

    def bar_chart(
        self, title: str, unit: Unit, *parts: tuple[str, Read, str], is_low: bool = False
    ) -> BarChart:
        """Bars of some numbers, with their sum in the time before."""
        now, before = self.figures.now, self.figures.before
        return BarChart(
            title=title,
            places=self.places,
            parts=tuple(
                Part(name, tuple(read(tally) for tally in now), look) for name, read, look in parts
            ),
            unit=unit,
            previous=tuple(sum(read(tally) for _, read, _ in parts) for tally in before),
            previous_name=self.figures.span.previous.label,
            select_url=self.select_url,
            is_low=is_low,
        )

    def line_chart(self, title: str, read: Callable[[Tally], Counts]) -> LineChart:
        """Half, 95% and 99% of some durations; of the time before the 95%."""
        now, before = self.figures.now, self.figures.before
        drawn = []
        for share, name, look in (*SHARES, HALF):
            previous = quantiles(before, read, share) if look == lines.MAIN else ()
            drawn.append(Line(name, quantiles(now, read, share), look, previous))
        return LineChart(
            title=title,
            places=self.places,
            lines=tuple(drawn),
            previous_name=self.figures.span.previous.label,
            select_url=self.select_url,
        )


def quantiles(
    tallies: Sequence[Tally], read: Callable[[Tally], Counts], share: float
) -> tuple[int | None, ...]:
    return tuple(histograms.quantile(read(tally), share) for tally in tallies)


def drawing(figures: Figures, scope: Scope) -> Drawing:
    """Ready to draw; a click on a chart leads to the list of requests."""
    return Drawing(
        figures,
        scope,
        tuple(stretch.place for stretch in figures.span.stretches),
        url_for("request_history.index", **scope.kept),
    )


def requests(drawing: Drawing) -> BarChart:
    """By outcome."""
    return drawing.bar_chart(
        "Were requests answered?",
        REQUESTS,
        ("Answered", lambda tally: tally.answered, bars.MAIN),
        ("Visitor left", lambda tally: tally.cancelled, bars.CANCELLED),
        ("Refused", lambda tally: tally.refused, bars.REFUSED),
        ("Failed", lambda tally: tally.failed, bars.FAILED),
    )


def latency(drawing: Drawing) -> LineChart:
    return drawing.line_chart("How long did an answer take?", lambda tally: tally.latencies)


def first_word(drawing: Drawing) -> LineChart:
    return drawing.line_chart("How long until the first word?", lambda tally: tally.first_tokens)


def tokens(drawing: Drawing) -> BarChart:
    return drawing.bar_chart(
        "How many tokens went in and out?",
        TOKENS,
        ("Out", lambda tally: tally.tokens_out, bars.SECOND),
        ("In", lambda tally: tally.tokens_in, bars.MAIN),
    )


def cost(drawing: Drawing) -> BarChart:
    unit = money_in(drawing.scope.account.currency)
    return drawing.bar_chart(
        "What did the answers cost?", unit, ("Cost", lambda tally: tally.cost_micros, bars.MAIN)
    )


def sessions(drawing: Drawing) -> BarChart:
    return drawing.bar_chart(
        "How many sessions began?", SESSIONS, ("Sessions", lambda tally: tally.sessions, bars.MAIN)
    )


def errors(drawing: Drawing) -> ShareList:
    """By cause, the most first, each with the list of them."""
    total = drawing.figures.total
    address = {**drawing.figures.span.query, **drawing.scope.kept}
    found = sorted(total.causes.items(), key=lambda pair: (-pair[1], pair[0]))
    return ShareList(
        title="Why were requests not answered?",
        shares=tuple(
            Share(
                causes.in_words(code),
                count,
                url_for("request_history.index", **address, cause=code),
            )
            for code, count in found[:MOST_CAUSES]
        ),
        whole=total.requests - total.answered,
        nothing="Every request in this time was answered.",
    )
