"""
Latency: from the moment an event is meant to be sent to its prediction in a `read_committed` reader's hands.

    python -m benchmarks.latency --rates 100,1000 --seconds 20 --runs 3 --model lr

Load generator, contestant and reader are processes of their own. All contestants are started once; then they
are asked by turns, run by run and rate by rate, the others idle meanwhile. Events arrive at random and don't
wait for answers; a late load generator counts against the contestant, as a busy machine does (the column that
says how late it was is in the JSON). Every event must have exactly one prediction, or there is no result.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from confluent_kafka import Producer

from benchmarks.delays import Delays, delays, rows, table
from benchmarks.entry import entry_of, is_worker
from benchmarks.fill import PARTITIONS, SCHEMA, encoded
from benchmarks.lane import Lane
from benchmarks.packages import BOTH, MODELS, package
from benchmarks.process import ROOT, Contestant, end_all_on_sigterm
from benchmarks.run import kafka, say
from benchmarks.topics import Topics
from stream.codec import RecordSchema
from stream.demo import flights

__all__ = ["CONTESTANTS", "Plan", "main"]

CONTESTANTS = {
    "worker": "`stream worker` with its default settings: exactly-once",
    "worker-alo": '`stream worker` with `[delivery] guarantee = "at-least-once"`',
    "hop": "a consumer and a producer that only pass the bytes on, at once: the floor",
    "loop": "the hand-written micro-batch loop",
}

_WARM_S = 2.0
"""At the start of each turn; not measured."""

_READY_S = 180.0
"""For a contestant to answer its first event."""

_AGAIN_S = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What to measure.

    Attributes:
        rates: events/s.
        seconds: of each turn, the warm-up not counted.
        runs: turns of each contestant at each rate.
        models: names of `MODELS`.
        contestants: names of `CONTESTANTS`, or of workers as `benchmarks.run` knows them.
    """

    rates: tuple[int, ...]
    seconds: float
    runs: int
    models: tuple[str, ...]
    contestants: tuple[str, ...]


class Runner:
    """A contestant that runs, and its reader. Made ready by `ready`, then asked by `turn`."""

    def __init__(
        self, lane: Lane, contestant: str, process: Contestant, reader: subprocess.Popen[str]
    ) -> None:
        """
        Args:
            lane: its topics.
            contestant: its name.
            process: it.
            reader: an onlooker on its output topic.
        """
        self._lane = lane
        self.contestant = contestant
        self._process = process
        self._reader = reader

    def ready(self) -> None:
        """Block until it has answered a first event. Raises: Died, TimeoutError."""
        schema = RecordSchema(SCHEMA.read_text())
        ((_, value),) = encoded(flights.load_flights().head(1), schema)
        producer = Producer({"bootstrap.servers": self._lane.topics.bootstrap, "log_level": 0})
        producer.produce(self._lane.source, value, "0")
        producer.flush(_READY_S)
        deadline = time.monotonic() + _READY_S
        while not self._lane.topics.offsets(self._lane.target):
            self._process.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.contestant}: no answer; log: {self._lane.folder}")
            time.sleep(_AGAIN_S)
        self._seen(1)

    def turn(self, model: str, rate: int, seconds: float, seed: int) -> Delays:
        """Send events, and hold their predictions against them. Raises: Died, ValueError."""
        _ask(self._reader, int(rate * (seconds + _WARM_S)))
        command = [
            *(sys.executable, "-m", "benchmarks.generator"),
            f"--bootstrap={self._lane.topics.bootstrap}",
            f"--topic={self._lane.source}",
            f"--rate={rate}",
            f"--seconds={seconds + _WARM_S}",
            f"--seed={seed}",
        ]
        sent = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
        seen = _answer(self._reader)
        self._process.check()
        measured_from = sent[0][0] + round(_WARM_S * 1e9)
        return delays((model, self.contestant, rate), dict(sent), [(a, b) for a, b in seen], measured_from)

    def _seen(self, records: int) -> list[Any]:
        _ask(self._reader, records)
        return _answer(self._reader)


def _ask(reader: subprocess.Popen[str], records: int) -> None:
    pipe: IO[str] | None = reader.stdin
    if pipe is None:
        raise ValueError("the reader has no stdin")
    pipe.write(f"{records}\n")
    pipe.flush()


def _answer(reader: subprocess.Popen[str]) -> list[Any]:
    pipe: IO[str] | None = reader.stdout
    if pipe is None:
        raise ValueError("the reader has no stdout")
    found: list[Any] = json.loads(pipe.readline())
    return found


@contextmanager
def _running(lane: Lane, contestant: str) -> Iterator[Runner]:
    lane.topics.create(lane.source, PARTITIONS)
    lane.topics.create(lane.target, PARTITIONS)
    lane.topics.create(lane.letters, 1)
    command = [
        *(sys.executable, "-m", "benchmarks.onlooker"),
        f"--bootstrap={lane.topics.bootstrap}",
        f"--topic={lane.target}",
        f"--partitions={PARTITIONS}",
    ]
    pipe = subprocess.PIPE
    with (
        Contestant(lane.command(entry_of(contestant)), lane.folder / f"{lane.name}.log") as process,
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as reader,
    ):
        yield Runner(lane, contestant, process, reader)
    for topic in (lane.source, lane.target, lane.letters):
        lane.topics.delete(topic)


def measure(plan: Plan, bootstrap: str, folder: Path) -> list[Delays]:
    """
    Measure it all.

    Args:
        plan: what to measure.
        bootstrap: the broker.
        folder: for logs and settings.
    Returns: every turn's, in the order in which they were run.
    Raises: Died, ValueError, TimeoutError: then there is no result.
    """
    topics = Topics(bootstrap)
    found: list[Delays] = []
    for model in plan.models:
        with ExitStack() as stack:
            runners = []
            for contestant in plan.contestants:
                name = secrets.token_hex(4)
                lane = Lane(topics, f"bench.features.{name}", folder, name, package(model))
                runners.append(stack.enter_context(_running(lane, contestant)))
            for runner in runners:
                runner.ready()
                say(f"{model}: {runner.contestant} is ready")
            found += _turns(plan, model, runners)
    return found


def _turns(plan: Plan, model: str, runners: Sequence[Runner]) -> Iterator[Delays]:
    for run in range(plan.runs):
        for rate in plan.rates:
            for runner in runners[run % len(runners) :] + runners[: run % len(runners)]:
                one = runner.turn(model, rate, plan.seconds, seed=run)
                figures = f"p50 {one.p50_ms:.1f}, p99 {one.p99_ms:.1f}, max {one.max_ms:.0f} ms"
                late = f"load generator late by {one.late_p99_ms:.1f}"
                say(f"{run + 1}/{plan.runs} {model} {rate}/s {one.contestant}: {figures} ({late})")
                yield one


def _chosen(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if not is_worker(name) and name not in CONTESTANTS:
            raise argparse.ArgumentTypeError(f"no contestant {name!r}; one of {', '.join(CONTESTANTS)}")
    return names


def _rates(text: str) -> tuple[int, ...]:
    return tuple(int(rate) for rate in text.split(","))


def plan_of(argv: list[str] | None = None) -> Plan:
    """The command line as a plan."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency",
        description="Measures the time from an event's being due to its prediction's being read, on a real Kafka"
        " (its own, or the one at KAFKA_BOOTSTRAP). Prints a table and, last, one line of JSON.",
        epilog="example: python -m benchmarks.latency --rates 100,1000 --seconds 20 --runs 3 --model lr",
    )
    parser.add_argument("--rates", type=_rates, default=(100, 1_000), help="events/s (default 100,1000)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each turn (default 20)")
    parser.add_argument("--runs", type=int, default=3, help="of each contestant at each rate (default 3)")
    parser.add_argument("--model", choices=[*MODELS, "both"], default="lr")
    parser.add_argument(
        "--only", type=_chosen, default=tuple(CONTESTANTS), metavar="A,B", help=f"of {', '.join(CONTESTANTS)}"
    )
    given = parser.parse_args(argv)
    models = BOTH if given.model == "both" else (given.model,)
    return Plan(given.rates, given.seconds, given.runs, models, given.only)


def main() -> None:
    """Measure, and print what came of it."""
    plan = plan_of()
    end_all_on_sigterm()
    folder = Path(tempfile.mkdtemp(prefix="latency-"))
    with kafka() as bootstrap:
        found = measure(plan, bootstrap, folder)
    print(table(rows(found)))
    result = {
        "seconds": plan.seconds,
        "summaries": [asdict(one) for one in rows(found)],
        "runs": [asdict(one) for one in found],
        "cores": os.cpu_count(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
