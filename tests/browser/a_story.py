"""Somebody's way through the pages of a client, and the vendor of models that answers in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, expect

from tests.answering import JSON, Asked
from tests.browser.conftest import NARROW, WIDE, Axe, OpenBrowser, too_wide
from tests.browser.foreign_pages import ForeignSite
from tests.model_server import MODEL, Answer, ModelServer

NAME = "museum_guide"


class Vendor(ModelServer):
    """Tells its models too, and can be made to talk until it is stopped."""

    def plays(self, *answers: Answer) -> None:
        super().plays(*answers)
        played = self.respond

        def respond(asked: Asked) -> Answer:
            if asked.path.endswith("/models"):
                return 200, JSON, json.dumps({"data": [{"id": MODEL}, {"id": "small-model"}]})
            return played(asked)

        self.respond = respond


@dataclass
class Story:
    """Who is in it, and what looked wrong on the way."""

    page: Page
    vendor: Vendor
    shop: ForeignSite
    open_browser: OpenBrowser
    options: dict[str, Any]
    axe_source: str
    found: list[str] = field(default_factory=list)
    host: str = ""

    def look(self, place: str, page: Page | None = None) -> None:
        """Axe, and nothing that scrolls sideways; the other colours and the other width too."""
        seen = page or self.page
        axe = Axe(seen, self.axe_source)
        faults = [*axe.violations(), *too_wide(seen)]
        is_light = self.options["color_scheme"] == "light"
        seen.emulate_media(color_scheme="dark" if is_light else "light")
        seen.set_viewport_size(NARROW if is_light else WIDE)
        faults += [*axe.violations("color-contrast"), *too_wide(seen)]
        seen.emulate_media(color_scheme=self.options["color_scheme"])
        seen.set_viewport_size(self.options["viewport"])
        self.found += [f"{place}: {fault}" for fault in faults]

    def go(self, place: str) -> None:
        """To one of the main pages, through the menu where the navigation is one."""
        menu = self.page.get_by_text("Menu", exact=True)
        if menu.is_visible():
            menu.click()
        main = self.page.get_by_role("navigation", name="Main")
        main.get_by_role("link", name=place).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(place)

    def open_client(self, tab: str = "Status") -> None:
        """A tab of the client."""
        tabs = self.page.get_by_role("navigation", name=NAME)
        if not tabs.is_visible():
            self.go("LLM clients")
            self.page.get_by_role("link", name=NAME, exact=True).click()
        tabs.get_by_role("link", name=tab, exact=True).click()
        expect(tabs.locator("[aria-current=page]")).to_have_text(tab)

    def press(self, name: str) -> None:
        """A button that sends a form; the next page is there when this returns."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """A link; the next page is there when this returns."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name, exact=True).first.click()

    def fill(self, **values: str) -> None:
        """Fields by label, `_` for a space."""
        writable = self.page.locator("input, textarea")
        for label, value in values.items():
            named = self.page.get_by_label(label.replace("_", " "), exact=True)
            named.and_(writable).fill(value)

    def reads(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words)
