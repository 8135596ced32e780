"""What a model may call that is built in: the same for every account, no secrets, no rows.

A function is a name, a JSON schema of its arguments, and a callable; a new one is one file and one
line of `built_in`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.errors import PortalError
from portal.functions import calculator, date_calculator
from portal.functions.weather import Weather

Run = Callable[[Mapping[str, Any], datetime], str]


@dataclass(frozen=True)
class Answer:
    """What the model reads, and whether it is the sentence of a failure."""

    text: str
    is_error: bool = False


@dataclass(frozen=True)
class Function:
    """A built-in function; `parameters` is the JSON schema that the model is offered."""

    name: str
    label: str
    description: str
    parameters: Mapping[str, Any]
    run: Run

    def call(self, arguments: Mapping[str, Any], now: datetime) -> Answer:
        """The result for these arguments of the model's; a failure is a sentence, never raised."""
        try:
            return Answer(self.run(arguments, now))
        except PortalError as error:
            return Answer(error.public_message, is_error=True)


def built_in(weather: Weather | None = None) -> dict[str, Function]:
    """All functions by name; `weather` asks open-meteo unless another one is handed in."""
    asked = weather or Weather()
    found = (
        Function(
            "get_current_weather",
            "Current weather",
            "The weather at a place now: temperature, wind, rain, in words and numbers.",
            asked.PARAMETERS,
            asked.run,
        ),
        Function(
            "date_calculator",
            "Date calculator",
            "Today's date, the weekday of a date, a date before or after another, and the days "
            "between two dates.",
            date_calculator.PARAMETERS,
            date_calculator.run,
        ),
        Function(
            "calculator",
            "Calculator",
            "Exact arithmetic. Use it for every calculation instead of calculating yourself.",
            calculator.PARAMETERS,
            calculator.run,
        ),
    )
    return {function.name: function for function in found}
