"""The page in use: by mouse and keyboard, by somebody who wants no motion, and with texts that mean harm."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from selenium.webdriver import Chrome, Keys

from tests.browser.chrome import emulate
from tests.browser.page_server import PageServer
from tests.browser.scenes import SCENES, Snapshot, dead_letters_coming, hostile, letter, redacted, running
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser


def opened(chrome: Chrome, server: PageServer) -> Visit:
    """The page, drawn."""
    visit = Visit(chrome, server.url)
    visit.until_drawn()
    return visit


class TestDeadLetter:
    """One dead letter, opened."""

    def test_opened_letter_shows_its_bytes_and_the_one_that_failed(
        self, chrome: Chrome, server: PageServer
    ) -> None:
        """Reason, meaning, next step, bytes with the failed one marked, what was decoded before it."""
        visit = opened(chrome, server)

        visit.find("#recent button").click()

        letter = visit.text("#letter")
        assert "field 'dep_delay', byte 41: 8 bytes expected, 0 left" in letter
        assert "The value ends too early." in letter
        assert "look at the producer" in letter
        assert "0010  31 30 2d 32 30 2d" in letter
        assert "57 bytes" in letter
        assert "2013-10-20-UA-1545-EWR" in letter
        failed = bytes.fromhex(running()["dead_letters"]["recent"][0]["hex"])[41]
        assert f"{failed:02x}" == visit.text("#letter mark")
        assert [] == visit.complaints_of_axe()

    def test_opened_letter_stays_while_the_page_goes_on(self, chrome: Chrome, server: PageServer) -> None:
        """What is being read does not change."""
        visit = opened(chrome, server)
        visit.find("#recent button").click()
        before = visit.text("#letter")

        scene = dead_letters_coming()
        scene["dead_letters"]["recent"] = scene["dead_letters"]["recent"][5:]
        server.show(scene)

        visit.until_text("#fig-dead", "340")
        assert before == visit.text("#letter")

    def test_letter_that_is_taken_apart_later_is_completed(self, chrome: Chrome, server: PageServer) -> None:
        """Decoding comes a moment after the letter: one opened at once, and one opened then, have it both."""
        early = running()
        for one in early["dead_letters"]["recent"]:
            one.update(failed_at=None, decoded=None)
        server.snapshot = early
        visit = opened(chrome, server)
        visit.find("#recent button").click()
        assert [] == chrome.find_elements("css selector", "#letter mark")

        server.show(running())

        visit.until(lambda: chrome.find_elements("css selector", "#letter mark"), "the failed byte")
        assert "Close" == visit.run("return document.activeElement.textContent")
        visit.press(Keys.ESCAPE)
        visit.run("document.querySelectorAll('#recent button')[3].click()")
        assert "54 of the whole value" in visit.text("#letter")

    def test_redacted_letter_says_that_values_are_kept_back(self, chrome: Chrome, server: PageServer) -> None:
        """Where it was, how long it is and why it failed are shown; nothing of what it holds."""
        server.snapshot = redacted()
        visit = opened(chrome, server)

        visit.find("#recent button").click()

        letter = visit.text("#letter")
        assert "not shown: the configuration says so (redact)" in letter
        assert "flights.features[0]@8000" in letter
        assert "2013-10-20" not in letter

    def test_refused_row_of_a_service_is_opened_the_same_way(
        self, chrome: Chrome, server: PageServer
    ) -> None:
        """Without bytes and place, which a request has not."""
        server.snapshot = SCENES["service"]()
        visit = opened(chrome, server)

        visit.find("#recent button").click()

        assert "field 'dep_delay' is missing" in visit.text("#letter")
        assert "stream deadletters" not in visit.text("#letter")


class TestKeyboard:
    """No mouse."""

    def test_everything_is_reached_in_the_order_it_is_seen(self, chrome: Chrome, server: PageServer) -> None:
        """Tab goes from the top to the links at the end; the focus is always on the screen, with an outline."""
        visit = opened(chrome, server)
        outline = "return getComputedStyle(document.activeElement).outlineStyle"
        reached = []
        for _ in range(40):
            reached.append(visit.tab())
            if reached[-1] == "BODY":
                break
            assert "none" != visit.run(outline), reached[-1]

        words = [name.split("\n")[0] for name in reached]
        assert ["To the numbers", "pause"] == words[:2]
        assert ["status", "ready", "metrics"] == [w for w in words if w in ("status", "ready", "metrics")]
        assert 4 == sum(w in ("truncated", "unknown_schema", "trailing_bytes") for w in words)
        assert 3 == sum("decode" in w for w in words)

    def test_letter_opens_with_enter_closes_with_escape_and_gives_the_focus_back(
        self, chrome: Chrome, server: PageServer
    ) -> None:
        """As any dialog does."""
        visit = opened(chrome, server)
        visit.run("document.querySelector('#recent button').focus()")

        visit.press(Keys.ENTER)
        assert visit.find("#letter").is_displayed()
        assert visit.run("return document.getElementById('letter').contains(document.activeElement)")
        visit.press(Keys.ESCAPE)

        assert not visit.find("#letter").is_displayed()
        assert "truncated" == visit.run("return document.activeElement.textContent")

    def test_reason_opens_with_enter_and_closes_with_escape(self, chrome: Chrome, server: PageServer) -> None:
        """What it means and what to do next; it stays open, and in focus, while counts change."""
        visit = opened(chrome, server)
        visit.run("document.querySelector('.reason summary').focus()")

        visit.press(Keys.ENTER)
        visit.until_text(".reason", "look at the producer")
        scene = running()
        scene["dead_letters"]["by_reason"][0]["count"] = 77
        server.show(scene)
        visit.until_text(".reason", "77")
        assert "look at the producer" in visit.text(".reason")
        visit.press(Keys.ESCAPE)

        assert "look at the producer" not in visit.text(".reason")
        assert "SUMMARY" == visit.run("return document.activeElement.tagName")

    def test_list_stands_still_while_somebody_is_in_it(self, chrome: Chrome, server: PageServer) -> None:
        """A button does not slip away from under a finger."""
        visit = opened(chrome, server)
        visit.run("document.querySelector('#recent button').focus()")
        before = visit.text("#recent")

        server.show(dead_letters_coming())
        visit.until_text("#fig-dead", "340")

        assert before == visit.text("#recent")
        visit.run("document.activeElement.blur()")
        server.show(dead_letters_coming())
        visit.until(
            lambda: len(chrome.find_elements("css selector", "#recent tbody tr")) == 10, "ten letters"
        )


def test_dots_move_in_proportion_and_rest_for_who_wants_no_motion(chrome: Chrome, server: PageServer) -> None:
    """Dots flow while records do; with reduced motion they are there, and no animation runs."""
    visit = opened(chrome, server)
    running_animations = "return document.getAnimations().filter((one) => one.playState === 'running').length"
    visit.until(lambda: visit.run(running_animations) > 3, "moving dots")

    emulate(chrome, still=True)
    chrome.refresh()
    visit.until_drawn()

    dots = "return document.querySelectorAll('.dots.in i').length"
    visit.until(lambda: visit.run(dots) > 3, "dots at rest")
    assert 0 == visit.run(running_animations)
    assert "200 records" in visit.text(".flow .legend")


def _same_rows(scene: Snapshot) -> None:
    """A request of ten rows that fail alike, at one moment."""
    scene["dead_letters"]["recent"] = [
        {**letter(0, "wrong_type", ""), "place": None, "message": None} for _ in range(10)
    ]


def _facts_among_metrics(scene: Snapshot) -> None:
    """A training that measured what the page has its own words for."""
    scene["model"]["metrics"] = {"version": 1, "task": 2, "packed": 3}


def _nameless_owner(scene: Snapshot) -> None:
    """A partition without an owner beside one whose owner has no name."""
    scene["partitions"][2]["owner"] = None
    scene["partitions"][3]["owner"] = ""


def _owner_not_known(scene: Snapshot) -> None:
    """A partition without an owner beside one whose owner was not told."""
    scene["partitions"][2]["owner"] = None
    scene["partitions"][3].update(owner=None, owner_known=False)


@pytest.mark.parametrize(
    ("alike", "selector", "children"),
    [
        (_same_rows, "#recent tbody tr", 10),
        (_facts_among_metrics, "#model-list > div", 8),
        (_nameless_owner, "#owners > .owner", 3),
        (_owner_not_known, "#owners > .owner", 3),
    ],
)
def test_what_has_one_name_is_there_as_often_as_it_is_sent(
    chrome: Chrome, server: PageServer, alike: Callable[[Snapshot], None], selector: str, children: int
) -> None:
    """The page doesn't grow from snapshot to snapshot."""
    server.snapshot = running()
    alike(server.snapshot)
    visit = opened(chrome, server)
    for rate in ("341", "342", "343"):
        scene = copy.deepcopy(server.snapshot)
        scene["now"]["records_per_second"] = float(rate)
        server.show(scene)
        visit.until_text("#fig-rate", rate)

    assert children == len(chrome.find_elements("css selector", selector))


HARM = {
    "markup": '<img src=x onerror="window.hit=1"><script>window.hit=1</script>',
    "turned": "\u202egnirts desrever\u2066\u200f \u0634\u0631\u064a\u0637",
    "control": "\x1b]0;hit\x07\n\r\t\x00\x9b31m",
    "long": "W" * 10_000,
    "long words": "long words " * 1_000,
    "empty": "",
    "prototype": "__proto__",
    "url": "javascript:window.hit=1",
}


@pytest.mark.parametrize("harm", HARM)
def test_no_text_becomes_more_than_text(chrome: Chrome, server: PageServer, harm: str) -> None:
    """Any text under any key: no element, no dialog, no broken layout, nothing of it obeyed."""
    emulate(chrome, width=360)
    marks = (
        r"return /[\u202a-\u202e\u2066-\u2069\u200f\u0000-\u0008\u001b\u009b]/.test(document.body.innerText)"
    )
    for scene in ("running", "swap", "service", "labels", "broker away"):
        server.snapshot = hostile(SCENES[scene](), HARM[harm])
        visit = opened(chrome, server)
        visit.run("document.querySelector('#recent button').click()")

        assert visit.find("#letter").is_displayed()
        made = "return document.querySelectorAll('img, main script, iframe, main a[href]').length"
        assert 0 == visit.run(made), scene
        assert not visit.run("return 'hit' in window"), scene
        assert 0 == visit.overflow(), scene
        assert not visit.run(marks), scene
        assert [] == visit.said(), scene
    assert {"/", "/live/events"} == {path for path in server.asked if not path.endswith((".js", ".css"))}
