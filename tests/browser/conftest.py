"""A browser for the tests of this folder, or why there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from selenium.webdriver import Chrome

from tests.browser.chrome import Lacking, browser, emulate
from tests.browser.page_server import PageServer
from tests.browser.scenes import running

REQUIRED = os.environ.get("STREAM_REQUIRE_BROWSER") == "1"
"""A test that can't have its browser fails instead of being skipped."""


@pytest.fixture(scope="session")
def session_chrome() -> Iterator[Chrome]:
    """The session's browser."""
    with ExitStack() as stack:
        try:
            chrome = stack.enter_context(browser())
        except Lacking as why:
            if REQUIRED:
                pytest.fail(f"STREAM_REQUIRE_BROWSER=1, and there is no browser: {why}", pytrace=False)
            pytest.skip(f"no browser: {why}")
        yield chrome


@pytest.fixture
def chrome(session_chrome: Chrome) -> Chrome:
    """The session's browser, as it is at the start of each test: a wide screen, light, nothing kept."""
    emulate(session_chrome)
    session_chrome.get("about:blank")
    return session_chrome


@pytest.fixture
def server() -> Iterator[PageServer]:
    """A server of the page that shows a worker at work until it is told otherwise."""
    with PageServer(running()) as server:
        yield server
