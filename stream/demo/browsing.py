"""Opens the live page where there is somebody to look at it."""

from __future__ import annotations

import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping

__all__ = ["show_page"]


def show_page(
    url: str,
    environ: Mapping[str, str],
    *,
    platform: str = sys.platform,
    find: Callable[[], webbrowser.BaseBrowser] = webbrowser.get,
) -> bool:
    """
    Open a page in the user's browser, which may take its time: nobody waits for it.

    Args:
        url: the page.
        environ: the process's environment.
        platform: as `sys.platform` says it.
        find: the user's browser.
    Returns: whether there is one: that which BROWSER names, or a desktop's. A terminal's own, such as w3m, is taken
        only where it is named: it would take the terminal that the demo writes to.
    """
    named = bool(environ.get("BROWSER"))
    desktop = platform in ("darwin", "win32") or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    if not (named or desktop):
        return False
    try:
        browser = find()
    except webbrowser.Error:
        return False
    if not named and type(browser) is webbrowser.GenericBrowser:
        return False
    threading.Thread(target=browser.open, args=(url,), name="browser", daemon=True).start()
    return True
