"""Icons of static/icons.svg, for templates: a page has some fifty, each drawn once in a process."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from portal.web.answers import static_url

SVG = Markup('<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>')


def icon(name: str, extra: str = "") -> Markup:
    """The icon of that name, with further classes; it says nothing to a screen reader."""
    return _drawn(static_url("icons.svg"), name, extra)


@lru_cache(maxsize=1000)
def _drawn(sprite: str, name: str, extra: str) -> Markup:
    return SVG.format(f"ico {extra}".strip(), sprite, name)
