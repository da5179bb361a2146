"""What the benchmarks start."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from benchmarks.contestants.task import read_task
from benchmarks.entry import Entry, entry_of, is_worker
from benchmarks.lane import Lane
from benchmarks.topics import Topics

ROOT = Path(__file__).parents[3]


def settings_of(contestant: str, folder: Path) -> dict[str, Any]:
    """The settings that a contestant is started with."""
    lane = Lane(Topics("127.0.0.1:1"), "in", folder, "x", folder / "package")
    command = lane.command(entry_of(contestant))

    assert ["-m", "stream", "worker", "--config"] == command[1:5]
    return tomllib.loads(Path(command[5]).read_text())


@pytest.mark.parametrize(
    ("contestant", "batching", "delivery"),
    [
        ("worker", None, None),
        ("worker-alo", None, {"guarantee": "at-least-once"}),
        ("worker-10000", {"max_records": 10_000}, None),
        ("worker-10000-alo", {"max_records": 10_000}, {"guarantee": "at-least-once"}),
    ],
)
def test_worker_differs_by_what_its_name_says(
    contestant: str, batching: object, delivery: object, tmp_path: Path
) -> None:
    """And by nothing else: all other settings are the defaults."""
    found = settings_of(contestant, tmp_path)

    assert (batching, delivery) == (found.get("batching"), found.get("delivery"))
    assert {"kafka", "model", "input", "output", "dead_letters", "web"} == found.keys() - {
        "batching",
        "delivery",
    }


@pytest.mark.parametrize(
    "name", ["loop", "copy", "hop", "faust", "worker-N", "worker-0", "worker-alo-10", "workers"]
)
def test_other_names_are_no_worker(name: str) -> None:
    """A typing error must not become a run of something else."""
    assert not is_worker(name)


def test_programs_by_hand_are_told_where_to_read_and_write(tmp_path: Path) -> None:
    """All of them by the same file; the copier is the loop with an argument more."""
    lane = Lane(Topics("127.0.0.1:1"), "in", tmp_path, "x", ROOT / "models" / "flights")
    loop, copy = lane.command(entry_of("loop")), lane.command(entry_of("copy"))
    task = read_task(lane.task())

    assert ("in", "bench.predictions.x", "bench.x") == (task.source, task.target, task.group)
    assert [*loop, "--copy"] == copy


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("worker", Entry("worker")),
        ("worker-p64", Entry("worker", partitions=64)),
        ("worker-5000-alo-p1-x2", Entry("worker", 5_000, True, 1, 2)),
        ("loop-x2", Entry("loop", processes=2)),
    ],
)
def test_name_says_partitions_and_processes(name: str, expected: Entry) -> None:
    """What a name does not say is as usual."""
    assert expected == entry_of(name)


@pytest.mark.parametrize("name", ["worker-N", "loop-alo", "worker-x0", "workers", "worker-x2-p64", ""])
def test_name_of_no_contestant_is_refused(name: str) -> None:
    """With the name in the message."""
    with pytest.raises(ValueError, match=f"no contestant is called '{name}'"):
        entry_of(name)
