"""
`python -m benchmarks.race`: all contestants by turns on one topic and one broker; tables, JSON and a chart.

`--keep` writes docs/race.json, from which `scripts/docs` makes the tables of docs/performance.md and the chart;
`--chart FILE` draws the chart of this run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.answers import Answers, Disagreement, compare
from benchmarks.fill import fill
from benchmarks.packages import MODELS, package
from benchmarks.process import Died, end_all_on_sigterm
from benchmarks.race.course import Course, Ran, python_of
from benchmarks.race.paper import Assumptions
from benchmarks.race.rivals import ABSENT, RIVALS
from benchmarks.run import say
from benchmarks.summary import summaries, table
from benchmarks.topics import Topics
from docs.reference import race as pages
from tests.kafka.artifacts import KAFKA, Unavailable
from tests.kafka.broker import Broker

_SAMPLE = 1_000
"""Records whose sizes are looked at."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What to run.

    Attributes:
        events: on the input topic.
        runs: of each contestant with each model.
        models: names of `MODELS`.
        contestants: names of `RIVALS`.
        assumptions: for what is reckoned on paper.
        load: of the machine before it began: processes that wanted a core.
    """

    events: int
    runs: int
    models: tuple[str, ...]
    contestants: tuple[str, ...]
    assumptions: Assumptions
    load: float


@dataclass(slots=True)
class Outcome:
    """
    What came of it.

    Attributes:
        runs: every run, in order.
        failed: contestant → why it did not run, or not to the end.
        event_bytes: of an event with its key, on average.
    """

    runs: list[Ran]
    failed: dict[str, str]
    event_bytes: float


class _Race:
    """
    Runs it all; a contestant that fails is left out from then on, and said to have failed.

    Args:
        plan: what to run.
        bootstrap: the broker.
        broker: its process, if it is ours.
        folder: for logs and settings.
    """

    def __init__(self, plan: Plan, bootstrap: str, broker: int | None, folder: Path) -> None:
        self._plan = plan
        self._failed: dict[str, str] = {}
        self._first: dict[str, Answers] = {}
        self._pythons = {name: python for name in plan.contestants if (python := self._python(name))}
        self._packages = {model: package(model) for model in plan.models}
        topics = Topics(bootstrap)
        say(f"filling a topic with {plan.events:,} flights")
        most = {RIVALS[name].most for name in plan.contestants}
        sources = {one: fill(topics, min(one or plan.events, plan.events)) for one in most}
        self._course = Course(topics, sources, folder, broker)
        sample = islice(topics.read(next(iter(sources.values()))), _SAMPLE)
        self._event_bytes = mean(len(one.value()) + len(one.key()) for one in sample)

    def run(self) -> Outcome:
        """All turns."""
        runs = []
        for turn in range(self._plan.runs):
            for model in self._plan.models:
                # Each goes first once: no one always finds the broker's caches warm.
                shift = turn % len(self._plan.contestants)
                for name in self._plan.contestants[shift:] + self._plan.contestants[:shift]:
                    if name not in self._failed and (ran := self._one(name, model)):
                        figures = (
                            f"{ran.run.events_per_s:,.0f} events/s, {ran.run.cpu_us:,.1f} µs CPU an event"
                        )
                        say(f"{turn + 1}/{self._plan.runs} {model} {name}: {figures}")
                        runs.append(ran)
        return Outcome(runs, self._failed, self._event_bytes)

    def _python(self, name: str) -> Path | None:
        try:
            return python_of(RIVALS[name])
        except subprocess.CalledProcessError as error:
            self._failed[name] = f"its environment can't be made: {error}"
            return None

    def _one(self, name: str, model: str) -> Ran | None:
        try:
            ran = self._course.run(name, model, self._packages[model], self._pythons[name])
            compare(ran.said, self._first.setdefault(model, ran.said))
        except (Died, Disagreement, TimeoutError, Unavailable) as error:
            self._failed[name] = f"with {model}: {error}"
            say(f"{model} {name} failed: {error}")
            return None
        return ran


def _result(plan: Plan, outcome: Outcome, command: str) -> dict[str, Any]:
    """What is kept, and what the pages are made from."""
    ours = [one for one in outcome.runs if one.run.contestant == "worker"] or outcome.runs
    spent = [one.broker_us for one in ours if one.broker_us is not None]
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "command": command,
        "events": plan.events,
        "runs": plan.runs,
        "models": {model: MODELS[model] for model in plan.models},
        "contestants": {
            name: {"title": one.title, "guarantee": one.guarantee, "how": one.how}
            for name, one in RIVALS.items()
            if name in plan.contestants
        },
        "summaries": [asdict(one) for one in summaries([ran.run for ran in outcome.runs])],
        "absent": dict(ABSENT),
        "failed": {RIVALS[name].title: why for name, why in outcome.failed.items()},
        "assumptions": asdict(plan.assumptions),
        "sizes": {
            "event_bytes": outcome.event_bytes,
            "prediction_bytes": median(one.said.mean_bytes for one in ours),
            "broker_us": median(spent) if spent else None,
        },
        "machine": {
            "cores": os.cpu_count(),
            "load": round(plan.load, 1),
            "python": platform.python_version(),
            "kafka": KAFKA,
        },
    }


@contextmanager
def _kafka() -> Iterator[tuple[str, int | None]]:
    """The bootstrap servers, and the broker's process if it is ours: at KAFKA_BOOTSTRAP, or a broker of our own."""
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        yield given, None
        return
    say("starting Kafka")
    with Broker() as broker:
        yield broker.bootstrap, broker.pid


def _chosen(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    strangers = [name for name in names if name not in RIVALS]
    if strangers:
        raise argparse.ArgumentTypeError(f"no contestant {strangers[0]!r}; one of {', '.join(RIVALS)}")
    return names


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.race",
        description="Runs the worker beside other ways to predict from Kafka to Kafka, each in its own environment,"
        " on a real Kafka. Prints tables and, last, one line of JSON.",
    )
    parser.add_argument("--events", type=int, default=300_000, help="on the topic (default 300,000)")
    parser.add_argument("--runs", type=int, default=2, help="of each contestant with each model (default 2)")
    parser.add_argument("--model", choices=[*MODELS, "both"], default="both")
    parser.add_argument(
        "--only", type=_chosen, default=tuple(RIVALS), metavar="A,B", help=f"of {', '.join(RIVALS)}"
    )
    parser.add_argument(
        "--vcpu-hour", type=float, default=Assumptions().vcpu_hour, help="US dollars (default %(default)s)"
    )
    parser.add_argument("--chart", type=Path, help="draw the chart of this run as an SVG file")
    parser.add_argument(
        "--keep", action="store_true", help="write docs/race.json: what docs/performance.md shows"
    )
    return parser.parse_args()


def main() -> None:
    """Run the race and print what came of it."""
    given = _arguments()
    models = ("lr", "hgb") if given.model == "both" else (given.model,)
    assumptions = replace(Assumptions(), vcpu_hour=given.vcpu_hour)
    plan = Plan(given.events, given.runs, models, given.only, assumptions, os.getloadavg()[0])
    end_all_on_sigterm()
    folder = Path(tempfile.mkdtemp(prefix="race-"))
    with _kafka() as (bootstrap, broker):
        outcome = _Race(plan, bootstrap, broker, folder).run()
    if not outcome.runs:
        sys.exit(f"none ran to its end: {outcome.failed}")
    result = _result(plan, outcome, " ".join(["python -m benchmarks.race", *sys.argv[1:]]))
    print(table(summaries([ran.run for ran in outcome.runs]), "loop"))
    print(pages.paper(result))
    if given.chart:
        given.chart.write_text(pages.chart(result), "utf-8")
    if given.keep:
        pages.RUN.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
