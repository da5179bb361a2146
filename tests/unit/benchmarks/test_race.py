"""The race's contestants, and what its figures are shown as."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.contestants.task import read_task
from benchmarks.lane import Lane
from benchmarks.race.rivals import RIVALS
from benchmarks.topics import Topics
from docs.reference import race

ROOT = Path(__file__).parents[3]

OWN = {name: one for name, one in RIVALS.items() if one.environment is not None}

RACE = ROOT / "benchmarks" / "race"


@pytest.mark.parametrize("name", [name for name in OWN if name != "spark"])
def test_a_contestant_is_started_by_its_own_python_with_the_same_task(name: str, tmp_path: Path) -> None:
    """Topics and group are the lane's, however the task is handed over."""
    rival = RIVALS[name]
    lane = Lane(Topics("127.0.0.1:1"), "in", tmp_path, name, ROOT / "models" / "flights")
    command = rival.command(lane, Path("/its/own/python"))
    task = tmp_path / f"{name}.json"

    assert "/its/own/python" == command[0]
    assert str(task) in {part.removeprefix("--task=") for part in (*command, *rival.variables(task).values())}
    assert ("in", f"bench.predictions.{name}") == (read_task(task).source, read_task(task).target)


@pytest.mark.parametrize("folder", sorted({str(one.environment) for one in OWN.values()}))
def test_every_environment_opens_models_with_the_versions_of_the_lock(folder: str) -> None:
    """A model asked by another scikit-learn would be another race."""
    ours = _versions(ROOT / "requirements.lock")
    theirs = _versions(RACE / folder / "requirements.lock")
    shared = [line.split("==")[0] for line in (RACE / "model.in").read_text().splitlines() if "==" in line]

    assert {name: ours[name] for name in shared} == {name: theirs[name] for name in shared}


def _versions(lock: Path) -> dict[str, str]:
    lines = [
        line.split()[0] for line in lock.read_text().splitlines() if "==" in line and line[0] not in " #"
    ]
    return dict(line.split("==") for line in lines)


def one(contestant: str, model: str, rate: float, cpu_us: float) -> dict[str, Any]:
    """A summary as it is kept."""
    rates = {"events_per_s": rate, "slowest": rate - 1, "fastest": rate + 1}
    return {
        "contestant": contestant, "model": model, **rates, "cpu_us": cpu_us, "startup_s": 3.0, "peak_mib": 300.0,
    }  # fmt: skip


RUN: dict[str, Any] = {
    "day": "2026-11-27",
    "command": "python -m benchmarks.race",
    "events": 1_000,
    "runs": 1,
    "models": {"lr": "a regression", "hgb": "trees"},
    "contestants": {
        "loop": {"title": "hand-written loop", "guarantee": "at-least-once", "how": "by hand"},
        "worker": {"title": "stream worker", "guarantee": "exactly-once", "how": "defaults"},
    },
    "summaries": [
        one("loop", "lr", 100_000.0, 5.0),
        one("worker", "lr", 250_000.0, 2.5),
        one("loop", "hgb", 50_000.0, 9.0),
    ],
    "absent": {},
    "failed": {},
    "assumptions": {"vcpu_hour": 0.05, "use": 0.5, "replicas": 3, "broker_cores": 8, "broker_mb_s": 600.0},
    "sizes": {"event_bytes": 100.0, "prediction_bytes": 100.0, "broker_us": 1.0},
    "machine": {"cores": 2, "load": 0.3, "python": "3.11", "kafka": "4.3.0"},
}  # fmt: skip


def test_fastest_comes_first_and_is_compared_with_the_loop() -> None:
    """One table for each model; who has no figure with it stands in none."""
    lr, hgb = race.results(RUN).split("With `hgb`")

    assert lr.index("stream worker") < lr.index("hand-written loop")
    assert "| 250,000 (249,999–250,001) | 2.50 | 2.5 |" in lr
    assert "stream worker" not in hgb


def test_paper_says_cores_and_dollars() -> None:
    """2.5 µs an event are 400,000 events a second and core, and five cores for a million at half use."""
    assert "| stream worker | lr | 400,000 | 5 | $0.07 |" in race.paper(RUN)


def test_chart_is_an_image_with_a_bar_for_each_contestant_and_model() -> None:
    """The one without a figure has a dash."""
    root = ElementTree.fromstring(race.chart(RUN))
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]

    assert ["250,000", "–", "100,000", "50,000"] == [
        text for text in texts if text and text[0] in "–0123456789" and len(text) < 9
    ]
