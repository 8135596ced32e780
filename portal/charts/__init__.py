"""Charts as frozen values and pure geometry; templates/components/chart.html draws them.

Every chart starts at zero, has the same numbers as a table, and works without script; with it, each
place tells its numbers to the pointer and can be chosen (static/charts.js)."""

from portal.charts.bars import BarChart, Part
from portal.charts.lines import Line, LineChart
from portal.charts.places import Place, ToldPlace
from portal.charts.shares import Share, ShareList
from portal.charts.tiles import Meter, Tile
from portal.charts.units import DURATION, REQUESTS, SESSIONS, TOKENS, Unit, money_in

__all__ = [
    "DURATION",
    "REQUESTS",
    "SESSIONS",
    "TOKENS",
    "BarChart",
    "Line",
    "LineChart",
    "Meter",
    "Part",
    "Place",
    "Share",
    "ShareList",
    "Tile",
    "ToldPlace",
    "Unit",
    "money_in",
]
