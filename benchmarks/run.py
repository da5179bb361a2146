"""
The race: contestants by turns on one filled topic, each run with a group and an output topic of its own.

What is measured, the same way for all:

* events/s: from the first to the last prediction on the output topic, by the broker's own clock
  (`message.timestamp.type=LogAppendTime`); start-up is outside. Of several processes: from the moment when each has
  partitions until the first of the partitions is done. A transaction's commit has no such time: the
  end of the last one, some 10 ms in a run of seconds, is outside as well.
* CPU: the contestant's process between the moments when its first prediction and its last were seen.
* first prediction: from the process's start to the broker's time of the first prediction.
* memory: the process's largest resident size.

After each run its predictions are read by an independent reader, decoded, counted, and compared with those
of the first contestant: same labels, scores within the package's tolerance.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.answers import Answers, Disagreement, answers, compare
from benchmarks.entry import Entry, entry_of, is_worker
from benchmarks.fill import fill
from benchmarks.lane import Lane
from benchmarks.packages import BOTH, MODELS, package
from benchmarks.process import Contestant, Crew, end_all_on_sigterm
from benchmarks.summary import Run, Summary, events_per_s, ratio, summaries, table
from benchmarks.topics import Topics
from stream.codec import RecordSchema, single_object_prefix
from tests.kafka.broker import Broker

__all__ = ["CONTESTANTS", "Race", "kafka", "main", "say"]

CONTESTANTS = {
    "worker": "`stream worker` with its default settings: exactly-once",
    "worker-alo": '`stream worker` with `[delivery] guarantee = "at-least-once"`',
    "worker-N": "`stream worker` with `[batching] max_records = N`, such as worker-10000; at-least-once: worker-N-alo",
    "loop": "the hand-written micro-batch loop",
    "loop-transactions": "the same loop, exactly once",
    "loop-plain": "the loop as it is written in an afternoon: 5,000 at a time, nothing tuned",
    "copy": "the hand-written loop without decoding, model and encoding: the bytes alone",
    "faust": "idiomatic Faust, one event at a time",
    "faust-take": "Faust, up to 10,000 events at a time: `Stream.take_events`",
    "NAME-pN": "any of them with N partitions instead of 4, such as worker-p64",
    "NAME-xN": "N processes of it in one group, such as worker-x2",
}

DEFAULT = ("worker", "worker-alo", "worker-10000", "worker-10000-alo", "loop", "copy", "faust")
"""Who runs unless `--only` says otherwise. 10,000 records are the loop's batch."""

_LOOK_S = 0.05
"""Between two looks at the output topic's end."""

_RUN_S = 300.0
"""Longest run."""


@dataclass(frozen=True, slots=True)
class Race:
    """
    What to run.

    Attributes:
        events: on the input topic; what every contestant but Faust's predicts.
        faust_events: what idiomatic Faust predicts.
        runs: of each contestant.
        models: names of `MODELS`.
        contestants: names of `CONTESTANTS`.
    """

    events: int
    faust_events: int
    runs: int
    models: tuple[str, ...]
    contestants: tuple[str, ...]


def race(plan: Race, bootstrap: str, folder: Path) -> list[Run]:
    """
    Run it all.

    Args:
        plan: what to run.
        bootstrap: the broker.
        folder: for logs and settings.
    Returns: every run, in the order in which they were run.
    Raises: Died, Disagreement, TimeoutError: then there is no result.
    """
    topics = Topics(bootstrap)
    packages = {model: package(model) for model in plan.models}
    say(f"filling topics with {plan.events:,} flights")
    widths = {entry_of(name).partitions for name in plan.contestants}
    sources = {width: fill(topics, plan.events, partitions=width) for width in sorted(widths)}
    runs: list[Run] = []
    first: dict[tuple[str, str], Answers] = {}
    for turn in range(plan.runs):
        for model in plan.models:
            # Each goes first once: no one always finds the broker's caches warm.
            shift = turn % len(plan.contestants)
            for contestant in plan.contestants[shift:] + plan.contestants[:shift]:
                source = sources[entry_of(contestant).partitions]
                lane = Lane(topics, source, folder, secrets.token_hex(4), packages[model])
                run, said = _run(plan, lane, model, contestant)
                runs.append(run)
                figures = f"{run.events_per_s:,.0f} events/s, {run.cpu_us:,.1f} µs CPU an event"
                say(f"{turn + 1}/{plan.runs} {model} {contestant}: {figures}")
                if said is not None:
                    _agree(contestant, said, first.setdefault((model, source), said))
    return runs


def _agree(contestant: str, said: Answers, first: Answers) -> None:
    try:
        compare(said, first)
    except Disagreement as error:
        raise Disagreement(f"{contestant} and the first contestant: {error}") from error


def _run(plan: Race, lane: Lane, model: str, contestant: str) -> tuple[Run, Answers | None]:
    """One run, and what was predicted (None: the bytes were only copied)."""
    entry = entry_of(contestant)
    wanted = plan.faust_events if entry.program == "faust" else plan.events
    # Appended by the broker's clock, the same for all, whatever timestamps a contestant gives its records.
    lane.topics.create(lane.target, entry.partitions, message_timestamp_type="LogAppendTime")
    lane.topics.create(lane.letters, 1)
    try:
        with _crew(lane, entry) as processes:
            done = _watch(lane, processes, lane.topics.offsets, 1)
            joined_ms = _joined_ms(lane, processes, entry)
            cpu_s = processes.cpu_s()
            # Offsets are cheap to ask for while it runs; markers of transactions are among them, so at the end
            # the records that a read_committed reader has are counted.
            end = _watch(lane, processes, lane.topics.offsets, wanted)
            cpu_us = (processes.cpu_s() - cpu_s) / max(1, end - done) * 1e6
            peak_mib = processes.peak_mib()
            _watch(lane, processes, lane.topics.records, wanted)
        said, stamps = _outputs(lane, entry)
    finally:
        lane.topics.delete(lane.target)
        lane.topics.delete(lane.letters)
    if len(stamps) < wanted or (entry.program != "faust" and len(stamps) != wanted):
        raise Disagreement(f"{contestant} wrote {len(stamps)} predictions for {wanted} events")
    startup_s = min(stamps) / 1_000 - processes.started
    counted = stamps if said is None or entry.processes == 1 else together(said, joined_ms)
    run = Run(model, contestant, len(stamps), events_per_s(counted), cpu_us, startup_s, peak_mib)
    return run, said


def _crew(lane: Lane, entry: Entry) -> Crew:
    return Crew(
        [
            Contestant(lane.command(entry, i), lane.folder / f"{lane.name}.{i}.log")
            for i in range(entry.processes)
        ]
    )


def _joined_ms(lane: Lane, processes: Crew, entry: Entry) -> float:
    """Wait until each process has partitions; ms since the epoch."""
    while entry.processes > 1 and lane.topics.members(lane.group) < entry.processes:
        processes.check()
        time.sleep(_LOOK_S)
    return time.time() * 1_000


def together(said: Answers, since_ms: float) -> list[int]:
    """
    When predictions were made while all processes had work.

    Args:
        said: all of them.
        since_ms: when each process had partitions.
    Returns: the timestamps from then on and until the first of the input's partitions was done.
    Raises: ValueError when one was done before: too few events.
    """
    stamps, partitions = np.array(said.timestamps_ms), said.partitions
    until_ms = min(stamps[partitions == index].max() for index in np.unique(partitions))
    found: list[int] = stamps[(stamps >= since_ms) & (stamps <= until_ms)].tolist()
    if not found:
        raise ValueError("a partition was done before all processes had some; take more events")
    return found


def _watch(lane: Lane, processes: Crew, count: Callable[[str], int], wanted: int) -> int:
    """Wait until there are so many on the output topic."""
    deadline = time.monotonic() + _RUN_S
    while (there := count(lane.target)) < wanted:
        processes.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{there} of {wanted} predictions after {_RUN_S:.0f} s; log: {lane.folder}")
        time.sleep(_LOOK_S)
    return there


def _outputs(lane: Lane, entry: Entry) -> tuple[Answers | None, list[int]]:
    messages = lane.topics.read(lane.target)
    if entry.program == "copy":
        return None, [message.timestamp()[1] for message in messages]
    current = (lane.package / "current").read_text().strip()
    schema = (lane.package / "versions" / current / "prediction.avsc").read_text()
    said = answers(messages, schema, single_object_prefix(RecordSchema(schema)))
    return said, said.timestamps_ms


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def kafka() -> Iterator[str]:
    """The bootstrap servers at KAFKA_BOOTSTRAP, or of a broker of our own meanwhile."""
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        yield given
        return
    say("starting Kafka")
    with Broker() as broker:
        yield broker.bootstrap


def _chosen(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    try:
        for name in names:
            entry_of(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; one of {', '.join(CONTESTANTS)}") from error
    return names


def _models(text: str) -> tuple[str, ...]:
    names = {"both": BOTH, "all": tuple(MODELS)}.get(text, tuple(text.split(",")))
    for name in names:
        if name not in MODELS:
            raise argparse.ArgumentTypeError(f"no model {name!r}; of {', '.join(MODELS)}, or both, or all")
    return names


def plan_of(argv: list[str] | None = None) -> Race:
    """The command line as a plan."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures the worker beside idiomatic Faust and a hand-written loop on a real Kafka"
        " (its own, or the one at KAFKA_BOOTSTRAP). Prints a table and, last, one line of JSON.",
        epilog="example: scripts/bench --events 200000 --runs 3 --model hgb --only worker,loop",
    )
    parser.add_argument("--events", type=int, default=400_000, help="on the topic (default 400,000)")
    parser.add_argument("--faust-events", type=int, default=1_000, help="for idiomatic Faust (default 1,000)")
    parser.add_argument("--runs", type=int, default=3, help="of each contestant (default 3)")
    parser.add_argument(
        "--model",
        type=_models,
        default=BOTH,
        metavar="A,B",
        help=f"of {', '.join(MODELS)}; both (default: hgb and lr), or all",
    )
    parser.add_argument(
        "--only",
        type=_chosen,
        default=DEFAULT,
        metavar="A,B",
        help=f"of {', '.join(CONTESTANTS)}",
    )
    given = parser.parse_args(argv)
    return Race(given.events, min(given.faust_events, given.events), given.runs, given.model, given.only)


def _to_at_least_once(found: list[Summary], model: str, workers: list[str]) -> dict[str, float | None]:
    """What exactly-once leaves of at-least-once's rate, by batch size."""
    return {name: ratio(found, model, name, f"{name}-alo") for name in workers if f"{name}-alo" in workers}


def main() -> None:
    """Run the race and print what came of it."""
    plan = plan_of()
    end_all_on_sigterm()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    with kafka() as bootstrap:
        runs = race(plan, bootstrap, folder)
    found = summaries(runs)
    print(table(found, "loop"))
    workers = [name for name in plan.contestants if is_worker(name)]
    result = {
        "events": plan.events,
        "ratios": {
            model: {name: ratio(found, model, name, "loop") for name in workers} for model in plan.models
        },
        "to_at_least_once": {model: _to_at_least_once(found, model, workers) for model in plan.models},
        "summaries": [asdict(one) for one in found],
        "runs": [asdict(run) for run in runs],
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("confluent-kafka", "pyruhvro", "scikit-learn", "pandas")},
        },
    }
    print(json.dumps(result))
