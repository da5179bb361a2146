"""
The race: contestants by turns on one filled topic, each run with a group and an output topic of its own.

What is measured, the same way for all:

* events/s: from the first to the last prediction on the output topic, by the broker's own clock
  (`message.timestamp.type=LogAppendTime`); start-up is outside. A transaction's commit has no such time: the
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
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.answers import Answers, Disagreement, answers, compare
from benchmarks.fill import PARTITIONS, fill
from benchmarks.lane import Lane, is_worker
from benchmarks.packages import MODELS, package
from benchmarks.process import Contestant
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
    "copy": "the hand-written loop without decoding, model and encoding: the bytes alone",
    "faust": "idiomatic Faust, one event at a time",
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
    say(f"filling a topic with {plan.events:,} flights")
    source = fill(topics, plan.events)
    runs: list[Run] = []
    first: dict[str, Answers] = {}
    for turn in range(plan.runs):
        for model in plan.models:
            # Each goes first once: no one always finds the broker's caches warm.
            shift = turn % len(plan.contestants)
            for contestant in plan.contestants[shift:] + plan.contestants[:shift]:
                lane = Lane(topics, source, folder, secrets.token_hex(4), packages[model])
                run, said = _run(plan, lane, model, contestant)
                runs.append(run)
                figures = f"{run.events_per_s:,.0f} events/s, {run.cpu_us:,.1f} µs CPU an event"
                say(f"{turn + 1}/{plan.runs} {model} {contestant}: {figures}")
                if said is not None:
                    _agree(contestant, said, first.setdefault(model, said))
    return runs


def _agree(contestant: str, said: Answers, first: Answers) -> None:
    try:
        compare(said, first)
    except Disagreement as error:
        raise Disagreement(f"{contestant} and the first contestant: {error}") from error


def _run(plan: Race, lane: Lane, model: str, contestant: str) -> tuple[Run, Answers | None]:
    """One run, and what was predicted (None: the bytes were only copied)."""
    wanted = plan.faust_events if contestant == "faust" else plan.events
    # Appended by the broker's clock, the same for all, whatever timestamps a contestant gives its records.
    lane.topics.create(lane.target, PARTITIONS, message_timestamp_type="LogAppendTime")
    lane.topics.create(lane.letters, 1)
    try:
        with Contestant(lane.command(contestant), lane.folder / f"{lane.name}.log") as process:
            done = _watch(lane, process, lane.topics.offsets, 1)
            cpu_s = process.cpu_s()
            # Offsets are cheap to ask for while it runs; markers of transactions are among them, so at the end
            # the records that a read_committed reader has are counted.
            end = _watch(lane, process, lane.topics.offsets, wanted)
            cpu_us = (process.cpu_s() - cpu_s) / max(1, end - done) * 1e6
            peak_mib = process.peak_mib()
            _watch(lane, process, lane.topics.records, wanted)
        said, stamps = _outputs(lane, contestant)
    finally:
        lane.topics.delete(lane.target)
        lane.topics.delete(lane.letters)
    if len(stamps) < wanted or (contestant != "faust" and len(stamps) != wanted):
        raise Disagreement(f"{contestant} wrote {len(stamps)} predictions for {wanted} events")
    startup_s = min(stamps) / 1_000 - process.started
    run = Run(model, contestant, len(stamps), events_per_s(stamps), cpu_us, startup_s, peak_mib)
    return run, said


def _watch(lane: Lane, process: Contestant, count: Callable[[str], int], wanted: int) -> int:
    """Wait until there are so many on the output topic."""
    deadline = time.monotonic() + _RUN_S
    while (there := count(lane.target)) < wanted:
        process.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{there} of {wanted} predictions after {_RUN_S:.0f} s; log: {lane.folder}")
        time.sleep(_LOOK_S)
    return there


def _outputs(lane: Lane, contestant: str) -> tuple[Answers | None, list[int]]:
    messages = lane.topics.read(lane.target)
    if contestant == "copy":
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
    strangers = [n for n in names if not is_worker(n) and (n not in CONTESTANTS or n == "worker-N")]
    if strangers:
        raise argparse.ArgumentTypeError(f"no contestant {strangers[0]!r}; one of {', '.join(CONTESTANTS)}")
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
    parser.add_argument("--model", choices=[*MODELS, "both"], default="both")
    parser.add_argument(
        "--only",
        type=_chosen,
        default=DEFAULT,
        metavar="A,B",
        help=f"of {', '.join(CONTESTANTS)}",
    )
    given = parser.parse_args(argv)
    models = tuple(MODELS) if given.model == "both" else (given.model,)
    return Race(given.events, min(given.faust_events, given.events), given.runs, models, given.only)


def _to_at_least_once(found: list[Summary], model: str, workers: list[str]) -> dict[str, float | None]:
    """What exactly-once leaves of at-least-once's rate, by batch size."""
    return {name: ratio(found, model, name, f"{name}-alo") for name in workers if f"{name}-alo" in workers}


def main() -> None:
    """Run the race and print what came of it."""
    plan = plan_of()
    # As Ctrl-C: so that contestant and broker are ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
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
