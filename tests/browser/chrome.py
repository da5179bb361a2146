"""A headless Chromium, driven by selenium: the system's own browser and driver, nothing is fetched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

__all__ = ["AXE", "Lacking", "browser", "emulate"]

AXE = Path(__file__).parents[2] / ".cache" / "browser" / "node_modules" / "axe-core" / "axe.min.js"

_SWITCHES = (
    "--headless=new",
    "--no-sandbox",  # root can't have one
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # A name that is not this machine's can't be reached: the page must not ask for any.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Lacking(Exception):
    """No browser can be had here; the message says what is missing."""


@contextmanager
def browser() -> Iterator[Chrome]:
    """
    A browser of one's own, ended when the context is left.

    Raises: Lacking.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None or not AXE.is_file():
        missing = [
            name
            for name, found in (("Chromium", chromium), ("chromedriver", driver), (str(AXE), AXE.is_file()))
            if not found
        ]
        raise Lacking(f"no {', no '.join(missing)}: run scripts/tools")
    options = ChromeOptions()
    options.binary_location = chromium
    for switch in _SWITCHES:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options, ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def emulate(
    chrome: Chrome, *, width: int = 1440, height: int = 900, scheme: str = "light", still: bool = False
) -> None:
    """
    Show pages as on such a screen.

    Args:
        chrome: the browser.
        width: CSS pixels.
        height: CSS pixels.
        scheme: `light` or `dark`.
        still: with reduced motion.
    """
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
    ]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
