"""
The swap: a new version of the model while the worker runs at full load.

    python -m benchmarks.swap --events 600000

The package's version 1 is the demo's gradient boosting, version 2 a logistic regression of the same name.
When a third of the events is predicted, `current` is set to 2. Reported, by the broker's clock of the output
topic: events/s before and after, the longest silence while the new version was being opened and taken over
beside the longest one before, and how long after `current` was written the first answer of version 2 came.
Every prediction is held against its version's own estimator, asked about the same flight by pandas.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import fastavro
import joblib
import numpy as np

from benchmarks.fill import PARTITIONS, SCHEMA, fill
from benchmarks.packages import package
from benchmarks.process import Contestant, end_all_on_sigterm
from benchmarks.topics import Topics
from stream.demo.flights import load_flights
from stream.store import PackRequest, pack_estimator_file
from tests.kafka.broker import Broker
from tests.kafka.process import free_ports

__all__ = ["Swap", "main"]

_RUN_S = 300.0

_PREFIX_BYTES = 10
"""Avro's single-object encoding."""

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Swap:
    """
    What came of it.

    Attributes:
        events: on the input topic.
        by_version: predictions of each version.
        wrong: predictions that are not their version's own.
        missing: events without a prediction.
        doubled: predictions beyond an event's first.
        silence_before_ms: longest time without an output before `current` changed.
        silence_swap_ms: longest time without an output from then until a second after the first new answer.
        handover_ms: between the last output of version 1 and the first of version 2.
        noticed_s: from writing `current` to the first answer of version 2.
        before_per_s: events/s until `current` changed.
        after_per_s: events/s from the first new answer on.
    """

    events: int
    by_version: dict[str, int]
    wrong: int
    missing: int
    doubled: int
    silence_before_ms: int
    silence_swap_ms: int
    handover_ms: int
    noticed_s: float
    before_per_s: float
    after_per_s: float


def two_versions(folder: Path) -> dict[str, Any]:
    """A package with two versions, the first current; each version's estimator by `name@version`."""
    wish = PackRequest("flights", folder, carry=("flight_id", "carrier", "origin", "dest"))
    sources = {f"flights@{n}": package(name) for n, name in enumerate(("hgb", "lr"), start=1)}
    estimators: dict[str, Any] = {}
    for version, source in sources.items():
        number = (source / "current").read_text().strip()
        file = source / "versions" / number / "model.joblib"
        pack_estimator_file(file, wish, schema=SCHEMA.read_text("utf-8"))
        estimators[version] = joblib.load(file)
    _point(folder, 1)
    return estimators


def _point(folder: Path, version: int) -> None:
    new = folder / "current.new"
    new.write_text(f"{version}\n")
    new.replace(folder / "current")


def run(events: int, bootstrap: str, folder: Path) -> Swap:
    """
    Run it once.

    Args:
        events: on the input topic.
        bootstrap: the broker.
        folder: for package, settings and log.
    Raises: Died, TimeoutError.
    """
    topics = Topics(bootstrap)
    source = fill(topics, events)
    estimators = two_versions(folder / "flights")
    target, letters = f"swap.predictions.{time.time_ns()}", f"swap.dead.{time.time_ns()}"
    topics.create(target, PARTITIONS, message_timestamp_type="LogAppendTime")
    topics.create(letters, 1)
    config = folder / "swap.toml"
    config.write_text(
        f'[kafka]\nbootstrap_servers = "{bootstrap}"\ngroup = "{target}"\n'
        f'[model]\nuri = "flights"\nreload = "500ms"\n[input]\ntopic = "{source}"\nschema = "{SCHEMA}"\n'
        f'[output]\ntopic = "{target}"\n[dead_letters]\ntopic = "{letters}"\n[web]\nport = {free_ports(1)[0]}\n'
    )
    command = [sys.executable, "-m", "stream", "worker", "--config", str(config)]
    with Contestant(command, folder / "swap.log") as worker:
        _until(topics, target, worker, events // 3)
        changed = time.time()
        _point(folder / "flights", 2)
        _until(topics, target, worker, events)
    found = _judged(topics.read(target), folder / "flights", estimators, events, changed)
    topics.delete(target)
    topics.delete(letters)
    return found


def _until(topics: Topics, target: str, worker: Contestant, wanted: int) -> None:
    deadline = time.monotonic() + _RUN_S
    while topics.offsets(target) < wanted or topics.records(target) < wanted:
        worker.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {wanted} predictions after {_RUN_S:.0f} s")
        time.sleep(0.05)


def _judged(messages: Any, folder: Path, estimators: dict[str, Any], events: int, changed: float) -> Swap:
    frame = load_flights()
    known = {
        version: dict(zip(frame["flight_id"], _scores(estimator, frame), strict=True))
        for version, estimator in estimators.items()
    }
    schema = fastavro.parse_schema(json.loads((folder / "versions/1/prediction.avsc").read_text()))
    places: set[tuple[int, int]] = set()
    stamps: dict[str, list[int]] = {version: [] for version in estimators}
    wrong = count = 0
    for message in messages:
        said: Any = fastavro.schemaless_reader(io.BytesIO(message.value()[_PREFIX_BYTES:]), schema, None)
        count += 1
        places.add((said["source_partition"], said["source_offset"]))
        stamps[said["model"]].append(message.timestamp()[1])
        wrong += bool(abs(known[said["model"]][said["flight_id"]] - said["score"]) > _TOLERANCE)
    old, new = (np.sort(np.array(one)) for one in stamps.values())
    return _summary(old, new, changed * 1_000, events, wrong, count, len(places))


def _scores(estimator: Any, frame: Any) -> Any:
    return estimator.predict_proba(frame[list(estimator.feature_names_in_)])[:, 1]


def _summary(old: Any, new: Any, changed_ms: float, events: int, wrong: int, count: int, places: int) -> Swap:
    before = old[old <= changed_ms]
    around = np.concatenate([old[old > changed_ms], new[new <= new[0] + 1_000]])
    return Swap(
        events,
        {"flights@1": len(old), "flights@2": len(new)},
        wrong,
        events - places,
        count - places,
        int(np.diff(before).max()),
        int(np.diff(np.concatenate([before[-1:], np.sort(around)])).max()),
        int(new[0] - old[-1]),
        round(float(new[0] - changed_ms) / 1_000, 2),
        round(len(before) / float(before[-1] - before[0]) * 1_000),
        round(len(new) / float(new[-1] - new[0]) * 1_000),
    )


def main() -> None:
    """Run it and print one line of JSON a run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.swap")
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--runs", type=int, default=3)
    wish = parser.parse_args()
    end_all_on_sigterm()
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        _runs(wish.events, wish.runs, given)
        return
    with Broker() as broker:
        _runs(wish.events, wish.runs, broker.bootstrap)


def _runs(events: int, runs: int, bootstrap: str) -> None:
    for _ in range(runs):
        folder = Path(tempfile.mkdtemp(prefix="swap-"))
        print(json.dumps(asdict(run(events, bootstrap, folder))), flush=True)


if __name__ == "__main__":
    main()
