"""The live page, opened where somebody can see it."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Mapping

import pytest

from stream.demo.browsing import show_page

URL = "http://127.0.0.1:6066/"


class Desktop(webbrowser.BaseBrowser):
    """A browser with a window of its own."""

    def __init__(self) -> None:
        super().__init__("desktop")
        self.opened: list[str] = []
        self.done = threading.Event()

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        """Noted."""
        self.opened.append(url)
        self.done.set()
        return True


def none() -> webbrowser.BaseBrowser:
    """A machine without a browser."""
    raise webbrowser.Error("could not locate runnable browser")


@pytest.mark.parametrize(
    ("environ", "platform"),
    [
        ({"DISPLAY": ":0"}, "linux"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux"),
        ({"BROWSER": "firefox"}, "linux"),
        ({}, "darwin"),
    ],
)
def test_page_is_opened_where_it_can_be_seen(environ: Mapping[str, str], platform: str) -> None:
    """On a desktop, or in the browser that the user names."""
    browser = Desktop()

    assert show_page(URL, environ, platform=platform, find=lambda: browser)
    assert browser.done.wait(10)
    assert [URL] == browser.opened


def test_machine_without_a_desktop_is_left_alone() -> None:
    """Nobody is asked for a browser there."""
    browser = Desktop()

    assert not show_page(URL, {}, platform="linux", find=lambda: browser)
    assert [] == browser.opened


def test_desktop_without_a_browser_is_no_error() -> None:
    """The address has been printed."""
    assert not show_page(URL, {"DISPLAY": ":0"}, platform="linux", find=none)


def test_terminals_browser_does_not_take_the_demos_terminal() -> None:
    """w3m and lynx would, unless they were asked for by name."""
    assert not show_page(
        URL, {"DISPLAY": ":0"}, platform="linux", find=lambda: webbrowser.GenericBrowser("w3m")
    )
