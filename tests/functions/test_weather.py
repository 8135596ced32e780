"""The weather function against a double of open-meteo: what it asks, what it tells, what fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.functions import Answer, built_in
from portal.functions.weather import Weather
from tests.answering import JSON, AnsweringServer, Asked

pytestmark = pytest.mark.engine_independent

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PLACE = (
    '{"results": [{"name": "Freiburg", "latitude": 47.99, "longitude": 7.85, "country": "Germany",'
    ' "admin1": "Baden-Württemberg"}]}'
)
NOW_THERE = (
    '{"current_units": {"temperature_2m": "°C", "wind_speed_10m": "km/h"}, "current": {"time":'
    ' "2026-11-27T17:00", "temperature_2m": 4.5, "weather_code": 61, "wind_speed_10m": 12}}'
)


@pytest.fixture
def service() -> Iterator[AnsweringServer]:
    with AnsweringServer() as server:
        server.respond = lambda asked: (200, JSON, PLACE if "/geo" in asked.path else NOW_THERE)
        yield server


def weather(service: AnsweringServer, seconds: float = 5, **arguments: Any) -> Answer:
    asked = Weather(
        f"{service.url}/geo", f"{service.url}/forecast", allow_private=True, seconds=seconds
    )
    return built_in(asked)["get_current_weather"].call(arguments, NOW)


def test_the_weather_at_a_place_is_one_sentence(service: AnsweringServer) -> None:
    answer = weather(service, location="Freiburg")
    assert answer.text == (
        "Freiburg, Baden-Württemberg, Germany, 2026-11-27 17:00 local time: light rain, "
        "temperature 4.5 °C, wind 12 km/h. Source: open-meteo.com."
    )
    asked = [parse_qs(urlsplit(found.path).query) for found in service.asked]
    assert asked[0]["name"] == ["Freiburg"]
    assert asked[1]["latitude"] == ["47.9900"]
    assert asked[1]["temperature_unit"] == ["celsius"]


def test_a_place_is_sent_encoded_and_asked_again_without_its_country(
    service: AnsweringServer,
) -> None:
    def respond(asked: Asked) -> tuple[int, str, str]:
        known = "name=Frei%26burg&" in asked.path
        found = PLACE if known else "{}"
        return 200, JSON, found if "/geo" in asked.path else NOW_THERE

    service.respond = respond
    assert "light rain" in weather(service, location="Frei&burg, Germany").text
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "Give a location"),
        ({"location": 5}, "Give a location"),
        ({"location": "x" * 101}, "at most 100 characters"),
    ],
)
def test_bad_arguments_ask_nobody(
    arguments: dict[str, Any], sentence: str, service: AnsweringServer
) -> None:
    answer = weather(service, **arguments)
    assert answer.is_error
    assert sentence in answer.text
    assert not service.asked


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (200, "{}", "No place named Freiburg is known."),
        (200, '{"results": [5]}', "No place named"),
        (200, '{"results": [{"latitude": "x", "longitude": NaN}]}', "No place named"),
        (200, "[" * 100_000, "does not answer"),
        (200, "<html>", "does not answer"),
        (200, '"' + "x" * 300_000 + '"', "does not answer"),
        (500, PLACE, "does not answer"),
        (302, "", "does not answer"),
        (200, PLACE, "cannot be read"),
    ],
)
def test_every_failure_is_a_sentence(
    status: int, body: str, sentence: str, service: AnsweringServer
) -> None:
    service.answers(body, status)
    answer = weather(service, location="Freiburg")
    assert answer.is_error
    assert sentence in answer.text


def test_a_service_that_drips_is_left_in_time(service: AnsweringServer) -> None:
    service.answers("x" * 1000)
    service.drip_seconds = 0.1
    started = time.monotonic()
    answer = weather(service, seconds=0.3, location="Freiburg")
    assert time.monotonic() - started < 2
    assert answer.is_error


def test_private_addresses_are_asked_nothing(service: AnsweringServer) -> None:
    asked = Weather(f"{service.url}/geo", f"{service.url}/forecast")
    answer = built_in(asked)["get_current_weather"].call({"location": "Freiburg"}, NOW)
    assert answer.is_error
    assert not service.asked
