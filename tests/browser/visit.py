"""A person's visit to the live page: what is seen, what is pressed, and what the browser has to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.chrome import AXE

__all__ = ["Visit"]

WAIT_S = 40.0

T = TypeVar("T")

_AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_RUN_AXE = """
const done = arguments[arguments.length - 1];
const told = (node) => node.html.slice(0, 200) + " " + (node.any[0]?.message ?? "");
axe.run(document, {runOnly: arguments[0]}).then((found) =>
  done(found.violations.map((one) => [one.id, one.help, one.nodes.slice(0, 3).map(told)])));
"""


@cache
def _axe() -> str:
    return AXE.read_text("utf-8")


class Visit:
    """One page in a browser."""

    def __init__(self, chrome: Chrome, url: str) -> None:
        """Opens the page."""
        self.chrome = chrome
        self.said()  # what was said before is not this visit's
        chrome.get(url)

    def until(self, condition: Callable[[], T], what: str) -> T:
        """Wait until something is true; fails with what was waited for."""
        return WebDriverWait(self.chrome, WAIT_S, 0.05).until(lambda _: condition(), what)

    def until_drawn(self) -> None:
        """The first snapshot is on the page, and its dots have had a moment."""
        self.until(
            lambda: self.run("return !document.getElementById('content').hidden"), "the first snapshot"
        )

    def run(self, script: str, *given: object) -> Any:
        """What a script in the page returns."""
        return self.chrome.execute_script(script, *given)

    def find(self, selector: str) -> WebElement:
        """The first element of a CSS selector."""
        return self.chrome.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        """An element's text, as it is seen."""
        return self.find(selector).text

    def until_text(self, selector: str, wanted: str) -> None:
        """Wait until an element says something."""
        self.until(lambda: wanted in self.text(selector), f"{wanted!r} in {selector}")

    def press(self, *keys: str) -> None:
        """Keys, one after the other."""
        ActionChains(self.chrome).send_keys(*keys).perform()

    def tab(self) -> str:
        """One step by keyboard; returns what has the focus then."""
        self.press(Keys.TAB)
        return str(
            self.run(
                "const e = document.activeElement; return e === document.body ? 'BODY' : e.id || e.textContent.trim()"
            )
        )

    def complaints_of_axe(self) -> list[Any]:
        """What axe-core finds wrong, with its elements."""
        self.run(f"if (!window.axe) {{ {_axe()} }}")
        found = self.chrome.execute_async_script(_RUN_AXE, _AXE_RULES)
        assert isinstance(found, list)
        return found

    def overflow(self) -> int:
        """By how many pixels the page is wider than its screen."""
        root = "document.documentElement"
        return int(self.run(f"return {root}.scrollWidth - {root}.clientWidth"))

    def said(self) -> list[str]:
        """Errors and warnings of the browser's console since the visit began, or since the last look."""
        found = self.chrome.get_log("browser")  # type: ignore[no-untyped-call]
        return [json.dumps(entry) for entry in found if entry["level"] in ("SEVERE", "WARNING")]
