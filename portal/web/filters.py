"""What templates may call."""

from __future__ import annotations

from flask import Flask
from jinja2 import StrictUndefined

from portal import formatting
from portal.database import utc_now
from portal.web.answers import static_url
from portal.web.asking import zone
from portal.web.icons import icon
from portal.web.parts import has_part, part_url


def install_filters(app: Flask) -> None:
    """What templates may call; an undefined name is an error."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["relative_time"] = lambda moment: formatting.relative_time(
        moment, utc_now(), zone()
    )
    app.jinja_env.filters["exact_time"] = lambda moment: formatting.exact_time(moment, zone())
    app.jinja_env.filters["iso_time"] = formatting.iso_time
    app.jinja_env.filters["milliseconds"] = formatting.milliseconds_in_words
    app.jinja_env.filters["number"] = formatting.number
    app.jinja_env.filters["enum_view"] = formatting.enum_view
    app.jinja_env.globals.update(
        static_url=static_url, icon=icon, has_part=has_part, part_url=part_url
    )
