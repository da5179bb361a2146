"""The page and its server: lost and found, paused, hidden, locked by a token, refused."""

from __future__ import annotations

import pytest
from selenium.webdriver import Chrome, Keys

from tests.browser.page_server import PageServer
from tests.browser.scenes import running, swap
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser


def opened(chrome: Chrome, server: PageServer) -> Visit:
    """The page, drawn."""
    visit = Visit(chrome, server.url)
    visit.until_drawn()
    return visit


def test_server_that_goes_away_is_told_with_the_time_and_found_again(
    chrome: Chrome, server: PageServer
) -> None:
    """The numbers stay and are marked as old; nobody has to reload."""
    visit = opened(chrome, server)

    server.cut()
    visit.until_text("#banners", "No connection")
    assert "Lost at " in visit.text("#banners")
    assert "1,020" in visit.text("#fig-rate")
    assert [] == visit.complaints_of_axe()

    server.snapshot = swap()
    server.back()
    visit.until_text("#node-model", "flights@8")
    assert "No connection" not in visit.text("#banners")


def test_refusal_is_told_as_the_server_says_it(chrome: Chrome, server: PageServer) -> None:
    """Too many viewers: its words, and another try."""
    server.away = True
    server.refusal = "32 viewers are looking already"

    visit = Visit(chrome, server.url)

    visit.until_text("#banners", "32 viewers are looking already")
    server.back()
    visit.until_drawn()


def test_paused_page_stands_still_and_closes_its_stream(chrome: Chrome, server: PageServer) -> None:
    """What moves by itself can be stopped; nothing is sent meanwhile."""
    visit = opened(chrome, server)

    visit.find("#pause").click()
    visit.until(lambda: server.viewers == 0, "the stream's end")
    server.show(swap())
    assert "paused" in visit.text("header")
    assert "flights@7" in visit.text("#node-model")

    visit.find("#pause").click()
    visit.until_text("#node-model", "flights@8")


def test_hidden_tab_closes_its_stream_and_comes_back(chrome: Chrome, server: PageServer) -> None:
    """A tab that nobody sees costs nothing."""
    visit = opened(chrome, server)
    first = chrome.current_window_handle
    chrome.switch_to.new_window("tab")
    try:
        visit.until(lambda: server.viewers == 0, "the stream's end")
    finally:
        chrome.close()
        chrome.switch_to.window(first)

    visit.until(lambda: server.viewers == 1, "the stream again")
    server.show(swap())
    visit.until_text("#node-model", "flights@8")


def test_token_is_asked_for_and_kept_for_the_tab(chrome: Chrome) -> None:
    """A wrong one is refused in words; the right one opens the page, and a reload doesn't ask again."""
    with PageServer(running(), token="right") as server:
        visit = Visit(chrome, server.url)
        visit.until_text("#token-form", "[web] token")
        assert not visit.find("#content").is_displayed()
        assert [] == visit.complaints_of_axe()

        visit.press("wrong", Keys.ENTER)
        visit.until_text("#token-wrong", "not the token")

        visit.press("right", Keys.ENTER)
        visit.until_drawn()
        assert not visit.find("#token-form").is_displayed()

        chrome.refresh()
        visit.until_drawn()
        assert "right" not in chrome.current_url


def test_state_is_announced_when_it_changes_and_not_each_second(chrome: Chrome, server: PageServer) -> None:
    """A screen reader hears that it runs, once; figures are silent."""
    visit = opened(chrome, server)
    visit.until(lambda: visit.run("return document.getElementById('said').textContent") == "Running.", "said")
    live = visit.run(
        "return [...document.querySelectorAll('[aria-live],[role=status],[role=alert],[role=log]')].map((e) => e.id)"
    )
    visit.run(
        "window.changes = 0; new MutationObserver((m) => { window.changes += m.length; }).observe("
        "document.getElementById('said'), {childList: true, subtree: true, characterData: true})"
    )
    for rate in (900.0, 901.0, 902.0):
        scene = running()
        scene["now"]["records_per_second"] = rate
        server.show(scene)
        visit.until_text("#fig-rate", str(round(rate)))

    assert ["token-wrong", "said"] == live
    assert 0 == visit.run("return window.changes")
