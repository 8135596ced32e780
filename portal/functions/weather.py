"""The weather at a place now, from open-meteo.com, which asks for no key."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from portal.errors import AdapterError, PortalError
from portal.fetching import fetch

SECONDS = 5.0
LONGEST_ANSWER = 200 * 1024
LONGEST_PLACE = 100
GEOCODING_URL = "https://geocoding-api.open-meteo.com/v1/search"
FORECAST_URL = "https://api.open-meteo.com/v1/forecast"
CURRENT = (
    "temperature_2m",
    "apparent_temperature",
    "relative_humidity_2m",
    "precipitation",
    "weather_code",
    "wind_speed_10m",
)
# WMO code table 4677, the entries that open-meteo documents.
SKIES = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "freezing fog",
    51: "light drizzle",
    53: "drizzle",
    55: "dense drizzle",
    56: "light freezing drizzle",
    57: "freezing drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    66: "light freezing rain",
    67: "freezing rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    77: "snow grains",
    80: "light showers",
    81: "showers",
    82: "violent showers",
    85: "light snow showers",
    86: "heavy snow showers",
    95: "thunderstorm",
    96: "thunderstorm with light hail",
    99: "thunderstorm with heavy hail",
}


class WeatherError(PortalError):
    """There is no weather to tell; the sentence says why."""


class Weather:
    """Two questions, each at most 5 s and 200 KB: where is the place, what is the weather there."""

    PARAMETERS: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "A town, such as Freiburg or Oslo."},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["location"],
        "additionalProperties": False,
    }

    def __init__(
        self,
        geocoding_url: str = GEOCODING_URL,
        forecast_url: str = FORECAST_URL,
        *,
        allow_private: bool = False,
        seconds: float = SECONDS,
    ) -> None:
        self._geocoding_url = geocoding_url
        self._forecast_url = forecast_url
        self._allow_private = allow_private
        self._seconds = seconds

    def run(self, arguments: Mapping[str, Any], now: datetime) -> str:
        """One sentence about the weather at `location`. Raises WeatherError."""
        location = arguments.get("location")
        if not isinstance(location, str) or not location.strip():
            raise WeatherError("Give a location, such as Freiburg.")
        if len(location) > LONGEST_PLACE:
            raise WeatherError(f"A location has at most {LONGEST_PLACE} characters.")
        place = self._place(location.strip())
        unit = "fahrenheit" if arguments.get("unit") == "fahrenheit" else "celsius"
        return self._weather_at(place, unit)

    def _place(self, location: str) -> dict[str, Any]:
        # "Freiburg, Germany": the service knows names of towns only
        for name in dict.fromkeys((location, location.partition(",")[0].strip())):
            asked = {"name": name, "count": "1", "language": "en", "format": "json"}
            results = self._ask(self._geocoding_url, asked).get("results")
            found = results[0] if isinstance(results, list) and results else None
            if isinstance(found, dict) and all(
                _is_number(found.get(axis)) for axis in ("latitude", "longitude")
            ):
                return found
        raise WeatherError(f"No place named {location} is known.")

    def _weather_at(self, place: dict[str, Any], unit: str) -> str:
        asked = {
            "latitude": f"{place['latitude']:.4f}",
            "longitude": f"{place['longitude']:.4f}",
            "current": ",".join(CURRENT),
            "temperature_unit": unit,
            "timezone": "auto",
        }
        answer = self._ask(self._forecast_url, asked)
        current, units = answer.get("current"), answer.get("current_units")
        if not isinstance(current, dict) or not _is_number(current.get("temperature_2m")):
            raise WeatherError("The weather service sent an answer that cannot be read.")
        return _sentence(place, current, units if isinstance(units, dict) else {})

    def _ask(self, url: str, asked: dict[str, str]) -> dict[str, Any]:
        try:
            answer = fetch(
                "GET",
                f"{url}?{urlencode(asked)}",
                allow_private=self._allow_private,
                seconds=self._seconds,
                longest=LONGEST_ANSWER,
            )
            content = json.loads(answer.text) if answer.status == 200 else None
        except (AdapterError, ValueError, RecursionError) as error:
            raise WeatherError("The weather service does not answer at the moment.") from error
        if not isinstance(content, dict):
            raise WeatherError("The weather service does not answer at the moment.")
        return content


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _sentence(place: dict[str, Any], current: dict[str, Any], units: dict[str, Any]) -> str:
    names = [str(place.get(key, ""))[:100] for key in ("name", "admin1", "country")]
    where = ", ".join(dict.fromkeys(name for name in names if name))
    code = current.get("weather_code")
    sky = SKIES.get(code, "") if isinstance(code, int) else ""
    told = [
        f"{words} {current[key]:g} {str(units.get(key, ''))[:10]}".strip()
        for key, words in (
            ("temperature_2m", "temperature"),
            ("apparent_temperature", "feels like"),
            ("relative_humidity_2m", "humidity"),
            ("precipitation", "precipitation"),
            ("wind_speed_10m", "wind"),
        )
        if _is_number(current.get(key))
    ]
    time = str(current.get("time", ""))[:25].replace("T", " ")
    weather = ", ".join(filter(None, [sky, *told]))
    return f"{where}, {time} local time: {weather}. Source: open-meteo.com."
