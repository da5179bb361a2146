"""Each state of the live page, in a real browser: readable by all, whole on every screen, quiet."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from selenium.webdriver import Chrome

from tests.browser.chrome import emulate
from tests.browser.page_server import PageServer
from tests.browser.scenes import SCENES, running
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser

SCHEMA = json.loads((Path(__file__).parents[1] / "live" / "snapshot.schema.json").read_text())

_PLACES = """
const parts = [...document.querySelectorAll("section, .figure, .node")];
return parts.map((one) => JSON.stringify(one.getBoundingClientRect()));
"""

_LEFTMOST = "return document.querySelector('#fig-rate .line').getBBox().x;"

_CUT = """
const parts = [...document.querySelectorAll(".name, .fact, .stages, .peak, .big, #latest-table td:nth-child(2)")];
return parts.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent);
"""


@pytest.mark.parametrize("name", SCENES)
def test_scene_is_a_valid_snapshot(name: str) -> None:
    """What these tests show is what a worker may send."""
    jsonschema.Draft202012Validator(SCHEMA).validate(SCENES[name]())


@pytest.mark.parametrize("name", SCENES)
def test_state_is_accessible_on_every_screen(chrome: Chrome, server: PageServer, name: str) -> None:
    """Light and dark, wall and phone: axe finds nothing, nothing sticks out, the console is silent."""
    server.snapshot = SCENES[name]()
    visit = Visit(chrome, server.url)
    visit.until_drawn()

    for width in (1440, 360):
        for scheme in ("light", "dark"):
            emulate(chrome, width=width, scheme=scheme, still=True)
            assert [] == visit.complaints_of_axe(), f"{name}, {width} px, {scheme}"
        assert 0 == visit.overflow(), f"{name}, {width} px"
    assert [] == visit.said()
    assert {"/", "/live/events"} <= set(server.asked)


@pytest.mark.parametrize(
    ("name", "selector", "words"),
    [
        ("running", "#fig-rate", "1,020"),
        ("running", "#fig-lag", "400 ms behind"),
        ("running", "#fig-latency", "181 ms p99"),
        ("running", "#latest-table", "✗ late"),
        ("running", "#tx-list", "14,201"),
        ("empty", "#latest-empty", "stream produce FILE"),
        ("empty", "#latest-empty", "flights.features"),
        ("dead letters coming", "#reasons", "61,192"),
        ("broker away", "#banners", "no broker has answered lately"),
        ("broker away", "#state", "not ready"),
        ("swap", "#banners", "flights@8 took over from flights@7"),
        ("swap", "#banners", "flights@9: golden rows"),
        ("redacted", "#latest-table", "•••"),
        ("redacted", "#latest-note", "not shown"),
        ("many partitions", "#owners", "nobody"),
        ("many partitions", "#partitions-note", "64 partitions, 5 workers"),
        ("labels", "#histogram", "versicolor"),
        ("service", "#requests", "POST /invocations"),
        ("service", "#fig-lag", "34 rows queued"),
    ],
)
def test_state_is_told_in_words(
    chrome: Chrome, server: PageServer, name: str, selector: str, words: str
) -> None:
    """What a state is about can be read on the page."""
    server.snapshot = SCENES[name]()

    visit = Visit(chrome, server.url)

    visit.until_drawn()
    assert words in visit.text(selector)


def test_axe_sees_what_is_wrong(chrome: Chrome, server: PageServer) -> None:
    """The judge of the tests above is awake: a picture without words and grey on grey are found."""
    visit = Visit(chrome, server.url)
    visit.until_drawn()

    visit.run("document.querySelector('main').append(document.createElement('img'))")
    visit.run("document.getElementById('guarantee').style.color = '#ccc'")

    found = {rule for rule, *_ in visit.complaints_of_axe()}
    assert {"image-alt", "color-contrast"} <= found


def test_numbers_follow_and_nothing_moves(chrome: Chrome, server: PageServer) -> None:
    """From second to second the numbers change where they stand."""
    visit = Visit(chrome, server.url)
    visit.until_drawn()
    before = visit.run(_PLACES)

    scene = running()
    scene["now"].update(records_per_second=98_765.0, lag_records=7, p50_ms=1234.5, dead_letters_per_second=0)
    scene["totals"].update(records=17_402_118, dead_letters=1_000_026)
    for row in scene["latest"]:
        row["values"].update(carrier="a much longer text than before", score=0.5)
    server.show(scene)

    visit.until_text("#fig-rate", "98,765")
    assert before == visit.run(_PLACES)


@pytest.mark.parametrize(
    ("figure", "key", "value", "peak"),
    [
        ("#fig-rate", "records_per_second", 98_765.0, "98,765"),
        ("#fig-lag", "lag_records", 54_321, "54,321"),
        ("#fig-latency", "p99_ms", 9_100.0, "9.1 s"),
        ("#fig-dead", "dead_letters_per_second", 777.0, "777/s"),
    ],
)
def test_peak_is_not_below_what_is_now(
    chrome: Chrome, server: PageServer, figure: str, key: str, value: float, peak: str
) -> None:
    """What is shown in large counts for the highest of the last minutes, too."""
    server.snapshot = running()
    server.snapshot["now"][key] = value

    visit = Visit(chrome, server.url)

    visit.until_drawn()
    assert f"15 min · peak {peak}" in visit.text(f"{figure} .peak")


@pytest.mark.parametrize(
    ("steps", "minutes"), [(0, 2), (11, 2), (12, 5), (29, 5), (30, 15), (89, 15), (90, 15)]
)
def test_sparklines_show_what_there_is_yet(
    chrome: Chrome, server: PageServer, steps: int, minutes: int
) -> None:
    """Soon after a start they are as wide as after a quarter of an hour."""
    server.snapshot = running()
    history = server.snapshot["history"]
    history.update({name: series[:steps] for name, series in history.items() if name != "step_s"})

    visit = Visit(chrome, server.url)

    visit.until_drawn()
    assert visit.text("#fig-rate .peak").startswith(f"{minutes} min · peak")
    assert visit.run(_LEFTMOST) >= 0


@pytest.mark.parametrize("width", [1440, 1024, 830, 700, 390, 360])
def test_figures_and_names_are_whole_on_every_screen(chrome: Chrome, server: PageServer, width: int) -> None:
    """Topics, times of stages, peaks, and the key of a prediction: nothing is cut."""
    server.snapshot = running()
    emulate(chrome, width=width, still=True)

    visit = Visit(chrome, server.url)

    visit.until_drawn()
    assert [] == visit.run(_CUT)
