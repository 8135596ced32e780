"""Where bars, lines and labels stand, without a page."""

from __future__ import annotations

import re

import pytest

from portal.charts import BarChart, Line, LineChart, Part, Share, ShareList, ToldPlace, bars
from portal.charts.places import axis_labels, line_through, with_time

pytestmark = pytest.mark.engine_independent

PLACES = tuple(
    ToldPlace(f"Hour {hour}", f"{hour}:00" if hour % 2 == 0 else "", f"f{hour}", f"t{hour}")
    for hour in range(4)
)
CHART = BarChart(
    "Were requests answered?",
    PLACES,
    (Part("Answered", (30, 0, 6, 40)), Part("Failed", (10, 0, 2, 0), bars.FAILED)),
    previous=(80, 20, None, 0),
    previous_name="Day before",
    select_url="/requests/?client=3&range=7d&q=a%26b",
)


def rectangles(path: str) -> list[tuple[float, float, float, float]]:
    """x, y, width and height of each bar, which is a stroke from its top."""
    found = re.findall(r"M([\d.]+) ([\d.]+)v([\d.]+)", path)
    assert "".join(f"M{x} {y}v{height}" for x, y, height in found) == path
    width = float(CHART.bar_width)
    return [(float(x) - width / 2, float(y), width, float(height)) for x, y, height in found]


def test_parts_stand_on_each_other_from_the_floor() -> None:
    paths = dict(CHART.paths)
    assert list(paths) == ["bar-failed", "bar", "plot plot-before"]
    assert CHART.ticks == (0, 20, 40, 60, 80)
    [_, failed_top, _, failed_height] = rectangles(paths["bar-failed"])[0]
    [_, top, _, height] = rectangles(paths["bar"])[0]
    assert (failed_top, failed_height) == (87.5, 12.5)
    assert (top, height) == (50.0, 37.5)


def test_nothing_has_no_rectangle() -> None:
    paths = dict(CHART.paths)
    assert [x // 25 for x, *_ in rectangles(paths["bar"])] == [0, 2, 3]
    assert [x // 25 for x, *_ in rectangles(paths["bar-failed"])] == [0, 2]


def test_bars_stay_in_their_room() -> None:
    for look in ("bar", "bar-failed"):
        for x, _, width, _ in rectangles(dict(CHART.paths)[look]):
            room = 25 * (x // 25)
            assert room < x < x + width < room + 25


def test_the_time_before_is_a_line_through_the_middles_with_gaps() -> None:
    assert CHART.line_before == "M12.5 0L37.5 75M81.25 100H93.75"


def test_a_longer_or_shorter_time_before_is_fitted() -> None:
    longer = BarChart("", PLACES, (Part("", (1,) * 4),), previous=(1,) * 9)
    assert longer.before == (1, 1, 1, 1)
    shorter = BarChart("", PLACES, (Part("", (1,) * 4),), previous=(1,))
    assert shorter.before == (1, None, None, None)


def test_the_table_and_the_sentence_have_the_numbers() -> None:
    assert CHART.headings == ("Answered", "Failed", "Day before")
    assert [row.numbers for row in CHART.rows] == [
        ("30", "10", "80"),
        ("0", "0", "20"),
        ("6", "2", "None"),
        ("40", "0", "0"),
    ]
    assert CHART.summary == "88 requests: 76 answered, 12 failed."


def test_a_row_leads_to_its_time_with_all_other_filters() -> None:
    assert CHART.rows[0].url == "/requests/?client=3&q=a%26b&from=f0&to=t0"
    assert (
        with_time("/", "2026-10-25T02:30+02:00", "b") == "/?from=2026-10-25T02%3A30%2B02%3A00&to=b"
    )
    assert with_time("/requests/", "a", "b") == "/requests/?from=a&to=b"
    assert BarChart("", PLACES, (Part("", (1,) * 4),)).rows[0].url == ""


def test_every_second_of_many_labels_is_minor() -> None:
    labels = axis_labels([ToldPlace("", str(index)) for index in range(8)])
    assert [label.is_minor for label in labels] == [False, True] * 4
    assert [label.x for label in labels][:2] == ["6.25", "18.75"]
    few = axis_labels(PLACES)
    assert [(label.text, label.x, label.is_minor) for label in few] == [
        ("0:00", "12.5", False),
        ("2:00", "62.5", False),
    ]


@pytest.mark.parametrize(
    ("heights", "path"),
    [
        ([], ""),
        ([None, None], ""),
        ([0, 100], "M25 100L75 0"),
        ([50, None, 50, 25], "M6.25 50H18.75M62.5 50L87.5 75"),
        ([None, 10], "M62.5 90H87.5"),
    ],
)
def test_a_line_breaks_where_there_is_no_value(heights: list[float | None], path: str) -> None:
    assert line_through(heights) == path


def test_lines_share_one_axis_and_the_time_before_lies_behind() -> None:
    chart = LineChart(
        "How long did an answer take?",
        PLACES,
        (
            Line("95% within", (3400, None, 5600, 3000), previous=(2000,) * 4),
            Line("half within", (1200, None, 900, 800), "plot plot-soft"),
        ),
    )
    assert chart.axis == ("6 s", "4 s", "2 s", "0 s")
    assert [look for look, _ in chart.paths] == ["plot plot-before", "plot", "plot plot-soft"]
    assert chart.rows[1].numbers[:2] == ("None", "None")
    assert chart.headings == ("95% within", "half within", "95% within, before")
    assert chart.rows[0].numbers == ("3.4 s", "1.2 s", "2.0 s")
    assert chart.summary.startswith("95% within: between 3.0 s and 5.6 s.")
    numbers = [float(one) for _, path in chart.paths for one in re.findall(r"[\d.]+", path)]
    assert all(0 <= one <= 100 for one in numbers)


def test_a_chart_of_nothing_is_a_chart() -> None:
    for chart in (BarChart("", (), (Part("", ()),)), LineChart("", (), (Line("", ()),))):
        assert chart.ticks[-1] > 0
        assert chart.rows == ()
        assert chart.summary


def test_shares_are_of_the_whole_and_widths_of_the_largest() -> None:
    causes = ShareList("Why?", (Share("Timeout", 600), Share("Refused", 300), Share("Other", 1)))
    rows = [(row.count, row.share, row.width) for row in causes.rows]
    assert rows == [("600", "67%", "100"), ("300", "33%", "50"), ("1", "under 1%", "0.17")]
    almost = ShareList("Why?", (Share("Timeout", 999),), whole=1000)
    assert almost.rows[0].share == "over 99%"
    assert ShareList("Why?", (Share("Timeout", 0),)).rows[0].share == "0%"
