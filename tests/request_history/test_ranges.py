"""Time ranges: what an address means, in zones whose days have 23 to 25 hours or odd midnights."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from portal.request_history import local_time, ranges, stretches
from portal.request_history.ranges import TimeRange, parse
from portal.request_history.stretches import Width

pytestmark = pytest.mark.engine_independent

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
]
# An ordinary time, hours in which clocks change somewhere, ends of days, months and years.
MOMENTS = [
    "2026-11-21T13:31:07",
    "2026-03-29T00:59:59",
    "2026-03-29T01:00:00",
    "2026-10-25T00:30:00",
    "2026-10-25T01:30:00",
    "2026-04-04T15:10:00",
    "2026-10-03T15:40:00",
    "2026-11-01T05:30:00",
    "2026-03-08T06:59:00",
    "2026-04-23T22:00:00",
    "2026-12-31T23:59:59",
    "2028-02-29T12:00:00",
    "2026-11-20T18:20:00",
]
BERLIN, HOUR = ZoneInfo("Europe/Berlin"), timedelta(hours=1)
NOW = datetime(2026, 11, 21, 13, 31, 7, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def of(zone: str = "Europe/Berlin", now: datetime = NOW, **values: str) -> TimeRange:
    """`from_` is the `from` of an address."""
    return parse({key.rstrip("_"): value for key, value in values.items()}, ZoneInfo(zone), now)


def assert_whole(shown: TimeRange) -> None:
    """Its stretches follow each other from its start to its end, none is empty."""
    edges = shown.borders()
    assert edges[0] == shown.start
    assert edges[-1] == shown.end
    assert all(first < second for first, second in pairwise(edges))
    assert [part.end for part in shown.stretches] == list(edges[1:])
    assert shown.previous.end == shown.start


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", ranges.NAMES)
def test_a_named_range_holds_the_present_and_has_as_many_stretches_as_the_one_before(
    name: str, zone: str
) -> None:
    expected = {"1h": 12, "24h": 24, "48h": 48, "7d": 28, "30d": 30, "90d": 90}
    for now in map(utc, MOMENTS):
        shown = of(zone, now, range=name)
        assert_whole(shown)
        assert shown.start <= now < shown.end
        assert len(shown.stretches) == len(shown.previous.stretches) == expected[name]
        assert shown.on_full_hours or name == "1h"
        assert shown.by_the_minute == (name == "1h")
        assert shown.query == {"range": name}


@pytest.mark.parametrize("zone", ZONES)
def test_every_hour_belongs_to_the_day_on_which_it_begins(zone: str) -> None:
    place = ZoneInfo(zone)
    for now in map(utc, MOMENTS):
        today = local_time.today(now, place)
        for index, part in enumerate(of(zone, now, range="30d").stretches):
            day = today - (29 - index) * timedelta(days=1)
            hours = int((part.end - part.start) / HOUR)
            found = {(part.start + hour * HOUR).astimezone(place).date() for hour in range(hours)}
            assert found == {day}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", ["1h", "24h", "7d", "30d"])
def test_choosing_a_stretch_shows_exactly_that_stretch(name: str, zone: str) -> None:
    for now in map(utc, MOMENTS):
        for part in of(zone, now, range=name).stretches:
            if part.start <= now:
                found = of(zone, now, from_=part.place.start, to=part.place.end)
                assert (found.start, found.end, found.problem) == (part.start, part.end, "")
                again = parse(found.query, ZoneInfo(zone), now)
                assert (again.start, again.end) == (found.start, found.end)
                assert again.label == found.label


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("UTC", "2026-10-25", "2026-10-25T00:00", 24),
        ("Europe/Berlin", "2026-06-17", "2026-06-16T22:00", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00", 25),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00", 23),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00", 25),
        # Half past midnight, as sums are kept by full hours of UTC.
        ("America/St_Johns", "2026-06-17", "2026-06-17T03:00", 24),
        ("America/St_Johns", "2026-03-08", "2026-03-08T04:00", 23),
        ("America/St_Johns", "2026-11-01", "2026-11-01T03:00", 25),
        # 23.5 and 24.5 hours, of which the half hour is one or none that begins there.
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T14:00", 23),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", 25),
        ("Asia/Kathmandu", "2026-10-25", "2026-10-24T19:00", 24),
        # Clocks go forward at midnight, and back to it.
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00", 23),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00", 25),
        # A day that the island left out.
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", 24),
    ],
)
def test_a_picked_day_has_the_hours_it_has(zone: str, day: str, start: str, hours: int) -> None:
    shown = of(zone, from_=day, to=day)
    assert_whole(shown)
    assert shown.start == utc(start)
    assert shown.length == hours * HOUR
    assert len(shown.stretches) == hours
    assert (shown.days, shown.name, shown.problem) == (1, "custom", "")


def test_a_day_that_never_was_is_a_sentence() -> None:
    assert (
        "ends before it begins" in of("Pacific/Apia", from_="2011-12-30", to="2011-12-30").problem
    )
    assert_whole(of("Pacific/Apia", from_="2011-12-26", to="2012-01-02"))


def test_where_midnight_is_no_full_hour_the_page_says_from_when_a_day_counts() -> None:
    shown = of("Asia/Kathmandu", range="7d")
    assert shown.note.endswith("so a day is counted from 00:45 here.")
    assert shown.stretches[0].place.title == "Sun 15, 00:45 to 06:45"
    assert of(range="7d").note == ""
    late = of("Asia/Kathmandu", utc("2026-11-20T18:20"), range="7d")
    assert late.end == utc("2026-11-20T19:00"), "00:05 there, in an hour that began yesterday"


def test_a_stretch_with_a_change_is_an_hour_longer_or_shorter() -> None:
    spring = of(now=utc("2026-03-31T12:00"), range="7d")
    autumn = of(now=utc("2026-10-27T12:00"), range="7d")
    assert {part.end - part.start for part in spring.stretches} == {6 * HOUR, 5 * HOUR}
    assert {part.end - part.start for part in autumn.stretches} == {6 * HOUR, 7 * HOUR}
    assert [part.label for part in autumn.stretches[::4]][4] == "Sun 25"
    assert autumn.stretches[16].place.title == "Sun 25, 00:00 to 06:00"
    assert autumn.length == 169 * HOUR
    assert autumn.previous.length == 168 * HOUR


@pytest.mark.parametrize(
    ("wall", "zone", "first", "last"),
    [
        ("2026-06-17T12:00", "Europe/Berlin", "2026-06-17T10:00", "2026-06-17T10:00"),
        # Twice: the first and the second.
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T01:30"),
        ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30", "2026-11-01T06:30"),
        ("2026-04-05T01:45", "Australia/Lord_Howe", "2026-04-04T14:45", "2026-04-04T15:15"),
        # Never: the moment of the jump.
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("2026-03-08T02:01", "America/New_York", "2026-03-08T07:00", "2026-03-08T07:00"),
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:30", "2026-10-03T15:30"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00"),
    ],
)
def test_times_that_come_twice_or_never(wall: str, zone: str, first: str, last: str) -> None:
    typed = datetime.fromisoformat(wall)
    assert local_time.moment_of(typed, ZoneInfo(zone)) == utc(first)
    assert local_time.moment_of(typed, ZoneInfo(zone), last=True) == utc(last)


def test_a_typed_time_that_comes_twice_means_both_hours() -> None:
    shown = of(from_="2026-10-25T02:00", to="2026-10-25T02:30")
    assert (shown.start, shown.end) == (utc("2026-10-25T00:00"), utc("2026-10-25T01:30"))
    assert shown.label == "25 October 2026, 02:00 CEST to 02:30 CET"


def test_the_two_hours_that_look_alike_are_told_apart() -> None:
    titles = [part.place.title for part in of(from_="2026-10-25", to="2026-10-25").stretches[1:5]]
    assert titles == [
        "Sun 25, 01:00 to 02:00 CEST",
        "Sun 25, 02:00 CEST to 02:00 CET",
        "Sun 25, 02:00 CET to 03:00",
        "Sun 25, 03:00 to 04:00",
    ]


@pytest.mark.parametrize(
    ("typed", "start", "end", "note"),
    [
        (("2026-11-20T10:10", "2026-11-20T11:20"), "2026-11-20T09:10", "2026-11-20T10:20", ""),
        (("2026-11-20T10:10", "2026-11-20T12:10"), "2026-11-20T09:10", "2026-11-20T11:10", ""),
        (
            ("2026-11-20T10:10", "2026-11-20T12:11"),
            "2026-11-20T09:00",
            "2026-11-20T12:00",
            "Widened to full hours, as sums are kept by the hour.",
        ),
        (("2026-11-20T10:00", "2026-11-20T16:00"), "2026-11-20T09:00", "2026-11-20T15:00", ""),
        (("2026-11-20 10:00", "2026-11-20"), "2026-11-20T09:00", "2026-11-20T23:00", ""),
        (("2026-11-20", ""), "2026-11-19T23:00", "2026-11-21T14:00", ""),
        (("2026-11-20T10:00Z", "2026-11-20T11:00+01:00"), "", "", ""),
        (
            ("2026-11-20T10:00+01:00", "2026-11-20T11:00Z"),
            "2026-11-20T09:00",
            "2026-11-20T11:00",
            "",
        ),
        (
            ("2026-11-20T10:00 01:00", "2026-11-20T11:00Z"),
            "2026-11-20T09:00",
            "2026-11-20T11:00",
            "",
        ),
    ],
)
def test_typed_times(typed: tuple[str, str], start: str, end: str, note: str) -> None:
    shown = of(from_=typed[0], to=typed[1])
    assert_whole(shown)
    assert (shown.typed_from, shown.typed_to) == typed
    if not start:
        assert shown.problem
        return
    assert (shown.start, shown.end, shown.note) == (utc(start), utc(end), note)
    assert shown.problem == ""


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"range": "5y"}, "There is no time range called “5y”."),
        ({"range": "x" * 1_000_000}, "There is no time range called “" + "x" * 40 + "”."),
        ({"from": "2026-11-20", "to": "2026-11-19"}, "The range ends before it begins."),
        (
            {"from": "2026-11-20T10:00", "to": "2026-11-20T10:00"},
            "The range ends before it begins.",
        ),
        ({"from": "9999-12-31", "to": "9999-12-31"}, "A day is written like"),
        ({"from": "0001-01-01", "to": "0001-01-01"}, "A day is written like"),
        ({"from": "2026-02-30"}, "A day is written like"),
        ({"from": "٢٠٢٦-١١-٢٠"}, "A day is written like"),
        ({"from": "2026-11-20T24:61"}, "A day is written like"),
        ({"from": "2026-11-20T10:00+99:99"}, "A day is written like"),
        ({"from": "yesterday", "to": "\x00'; --"}, "A day is written like"),
        ({"from": "2" * 1_000_000, "to": "2026-11-20"}, "A day is written like"),
        ({"to": "2026-11-20"}, "A range needs a first day or time."),
        ({"from": "2024-11-20", "to": "2026-11-20"}, "A range is at most 400 days long."),
        ({"from": "2100-12-31", "to": "2100-12-31"}, "That time has not come yet."),
        ({"from": "2100-12-31", "to": "2100-12-31T23:00-23:59"}, "That time has not come yet."),
        ({"range": "custom", "from": "2026-11-20", "to": "x"}, "A day is written like"),
    ],
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_what_makes_no_sense_is_a_sentence_and_the_last_7_days(
    values: dict[str, str], sentence: str, zone: str
) -> None:
    shown = parse(values, ZoneInfo(zone), NOW)
    assert shown.problem.startswith(sentence)
    assert shown.problem.endswith("These are the last 7 days.")
    assert shown.name == "7d"
    assert len(shown.typed_from) <= 40


def test_a_named_range_counts_more_than_the_times_that_a_form_sends_along() -> None:
    assert of(range="24h", from_="2026-11-01", to="2026-11-02").name == "24h"
    assert of(range="custom", from_="2026-11-01", to="2026-11-02").days == 2
    for values in ({}, {"range": ""}, {"range": "custom"}, {"from": "", "to": " "}):
        shown = parse(values, BERLIN, NOW)
        assert (shown.name, shown.problem) == ("7d", "")


@pytest.mark.parametrize(
    ("first", "last", "label", "before", "width", "count"),
    [
        ("20T10:10", "20T10:30", "20 N, 10:10 to 10:30", "20 minutes", Width.MINUTE, 20),
        ("20T10:00", "20T12:00", "20 N, 10:00 to 12:00", "2 hours", Width.FIVE_MINUTES, 24),
        ("19T10:00", "20T12:00", "19 N, 10:00 to 20 N, 12:00", "26 hours", Width.HOUR, 26),
        ("20", "20", "20 N", "Day", Width.HOUR, 24),
        ("20T00:00", "21T00:00", "20 N", "Day", Width.HOUR, 24),
        ("11", "20", "11 N to 20 N", "10 days", Width.SIX_HOURS, 40),
        ("2026-10-01", "2026-10-31", "1 O to 31 October 2026", "31 days", Width.DAY, 31),
        ("2025-10-19", "20", "19 October 2025 to 20 N", "398 days", Width.WEEK, 57),
    ],
)
def test_a_custom_range_has_its_words_and_a_fitting_width(
    first: str, last: str, label: str, before: str, width: Width, count: int
) -> None:
    """In November 2026 (N) and October 2026 (O)."""
    first, last = (
        text if len(text) == len("2026-11-20") else f"2026-11-{text}" for text in (first, last)
    )
    shown = of(from_=first, to=last)
    assert_whole(shown)
    in_full = label.replace(" N", " November 2026").replace(" O ", " October 2026 ")
    assert shown.label == in_full
    assert shown.previous.label == f"{before} before"
    assert (shown.width, len(shown.stretches)) == (width, count)


@pytest.mark.parametrize("name", [*ranges.NAMES, "custom"])
def test_an_axis_has_few_labels(name: str) -> None:
    shown = of(range=name, from_="2025-10-25", to="2026-11-20")
    labels = [part.label for part in shown.stretches if part.label]
    assert 3 <= len(labels) <= 14
    assert len([part for part in of(range="30d").hours if part.label]) <= 6


def test_titles_and_labels_by_width() -> None:
    first = {name: of(range=name).stretches for name in ranges.NAMES}
    assert first["1h"][0].place.title == "Sat 21, 13:32 to 13:37"
    assert first["24h"][9].place.title == "Sat 21, 00:00 to 01:00"
    assert first["24h"][9].label == "Sat 21"
    assert first["7d"][1].place.title == "Sun 15, 06:00 to 12:00"
    assert [part.label for part in first["7d"][:5]] == ["Sun 15", "", "", "", "Mon 16"]
    assert first["30d"][0].place.title == "Fri 23 October"
    weeks = of(from_="2025-10-27", to="2026-11-20").stretches
    assert weeks[0].place.title == "27 October to 2 November 2025"


def test_a_moment_finds_its_stretch() -> None:
    edges = of(range="24h").borders()
    assert stretches.index_of(edges, edges[0]) == 0
    assert stretches.index_of(edges, edges[1] - timedelta(microseconds=1)) == 0
    assert stretches.index_of(edges, edges[1]) == 1
    assert stretches.index_of(edges, edges[-1]) is None
    assert stretches.index_of(edges, edges[0] - HOUR) is None


def test_the_days_before_are_as_many_local_days() -> None:
    shown = of(now=utc("2026-10-27T12:00"), range="30d")
    assert shown.previous.start.astimezone(BERLIN).date() == date(2026, 8, 29)
    assert shown.previous.start.astimezone(BERLIN).hour == 0
