"""Charts as the page has them: numbers, names and links, nothing of a stranger's taken for HTML."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.charts import (
    BarChart,
    Line,
    LineChart,
    Meter,
    Part,
    Share,
    ShareList,
    Tile,
    ToldPlace,
    bars,
)

pytestmark = pytest.mark.engine_independent

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[2] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)
# The page around a chart says whether its numbers are wanted, and where they are if not.
WANTED = {"numbers"}
TEMPLATES.globals |= {"has_part": WANTED.__contains__, "part_url": lambda name: f"/?with={name}"}
PLACES = (
    ToldPlace("Sat 21", "Sat 21", "2026-11-21", "2026-11-22", "Sat 21, 00:00", "Sun 22, 00:00"),
    ToldPlace("Sun 22", "", "2026-11-22", "2026-11-23", "Sun 22, 00:00", "Mon 23, 00:00"),
)
BARS = BarChart(
    "Were requests answered?",
    PLACES,
    (Part("Answered", (5, 1200)), Part("Failed", (1, 0), bars.FAILED)),
    previous=(3, 4),
    previous_name="Week before",
    select_url="/requests/?client=3",
)
LINES = LineChart("How long?", PLACES, (Line("half within", (1200, None)),))
CAUSES = ShareList("Why?", (Share("<b>Timeout</b>", 3, "/requests/?error=timeout"),))


def drawn(macro: str, value: object) -> BeautifulSoup:
    source = f"{{% from 'components/chart.html' import {macro} %}}{{{{ {macro}(value) }}}}"
    page = TEMPLATES.from_string(source).render(value=value)
    return BeautifulSoup(page, "html.parser")


def test_a_bar_chart_has_a_title_a_key_and_a_sentence() -> None:
    page = drawn("draw", BARS)
    assert page.h2.get_text() == page.section["aria-label"] == "Were requests answered?"
    key = [one.get_text() for one in page.select(".plot-key > span")]
    assert key == ["Answered", "Failed", "Week before", "Drag to choose a time"]
    sentence = page.select_one("p.visually-hidden").get_text()
    assert sentence.startswith("1,206 requests: 1,205 answered, 1 failed.")
    assert [one.get_text() for one in page.select(".y span")] == ["1,500", "1,000", "500", "0"]


def test_the_drawing_is_hidden_from_who_does_not_see_it_and_has_a_shape_for_each_look() -> None:
    drawing = drawn("draw", BARS).select_one("svg.drawing")
    assert drawing["aria-hidden"] == "true"
    looks = [one["class"] for one in drawing.select("path")]
    assert looks == [["bar-failed"], ["bar"], ["plot", "plot-before"]]


def test_rows_lead_to_their_time_and_say_when_they_begin() -> None:
    page = drawn("draw", BARS)
    assert page.select_one("svg.drawing")["data-choose"] == "/requests/?client=3"
    assert [link["href"] for link in page.select("tbody th a")] == [
        "/requests/?client=3&from=2026-11-21&to=2026-11-22",
        "/requests/?client=3&from=2026-11-22&to=2026-11-23",
    ]
    starts = [row["data-start"] for row in page.select("tbody tr")]
    assert starts == ["Sat 21, 00:00", "Sun 22, 00:00"]
    assert page.table["data-end"] == "Mon 23, 00:00"


def test_the_table_has_every_number() -> None:
    page = drawn("draw", BARS)
    assert [one.get_text() for one in page.select("thead th")] == [
        "Time",
        "Answered",
        "Failed",
        "Week before",
    ]
    rows = [[one.get_text() for one in row.select("td")] for row in page.select("tbody tr")]
    assert rows == [["5", "1", "3"], ["1,200", "0", "4"]]


def test_lines_without_an_address_have_no_links_and_nothing_to_drag() -> None:
    page = drawn("draw", LINES)
    assert not page.select("a")
    assert not page.select("[data-choose], [data-chosen]")
    assert [one.get_text() for one in page.select(".plot-key > span")] == ["half within"]
    assert [one.get_text() for one in page.select("tbody td")] == ["1.2 s", "None"]
    assert [one["d"] for one in page.select("svg.drawing > path")] == ["M12.5 20H37.5"]


def test_a_share_has_its_name_number_part_and_link() -> None:
    page = drawn("draw", CAUSES)
    assert page.select_one("li a").get_text() == "<b>Timeout</b>"
    assert page.select_one("li a")["href"] == "/requests/?error=timeout"
    assert page.select_one("li .num").get_text() == "3 (100%)"
    assert "Nothing in this time." in drawn("draw", ShareList("Why?", ())).get_text()


def test_tiles_have_their_note_and_a_named_meter() -> None:
    budget = Meter(57, "Budget used", "attention")
    tiles = [
        Tile("Cost", "€ 142.60", "of € 250.00", budget),
        Tile("Requests", "0", "", url="/requests/"),
    ]
    page = drawn("stats", tiles)
    assert page.progress["aria-label"] == "Budget used"
    assert page.progress["value"] == "57"
    assert "state-attention" in page.progress["class"]
    assert [one.get_text() for one in page.select(".big")] == ["€ 142.60", "0"]
    assert page.select_one("dt a")["href"] == "/requests/"


def test_numbers_that_are_not_wanted_are_a_link() -> None:
    WANTED.clear()
    try:
        page = drawn("draw", BARS)
    finally:
        WANTED.add("numbers")
    assert not page.select("table")
    place = page.select_one("div[id=numbers-were-requests-answered]")
    assert place.a["href"] == "/?with=numbers#numbers-were-requests-answered"
    assert "data-part" in place.a.attrs
