"""
One run of one contestant, measured as `benchmarks.run` measures, with all its processes counted.

* events/s: from the first to the last prediction on the output topic, by the broker's clock.
* CPU: of all processes of the contestant (children, a JVM), between the moments when its first and its last
  prediction were seen.
* first prediction: from the start to the broker's time of the first prediction.
* memory: the most that all its processes had at one look, what they share counted once (PSS).
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.answers import Answers, Disagreement, answers
from benchmarks.entry import PARTITIONS
from benchmarks.lane import Lane
from benchmarks.process import ROOT, Contestant, process_cpu_s
from benchmarks.race.requests import responses, send_requests
from benchmarks.race.rivals import RIVALS, Rival
from benchmarks.summary import Run, events_per_s
from benchmarks.topics import Topics
from stream.codec import RecordSchema, single_object_prefix

__all__ = ["Course", "Ran", "python_of"]

_LOOK_S = 0.1
"""Between two looks at the output topic's end."""

_MEMORY_S = 0.5
"""Between two looks at the memory: each costs the machine some milliseconds."""

_RUN_S = 240.0
"""Longest run."""

_READY_S = 120.0
"""Longest start of one that events are sent to."""


def python_of(rival: Rival) -> Path:
    """
    The Python that a contestant is started with.

    Returns: its environment's, made or updated by `scripts/environment`, or this one.
    Raises: CalledProcessError when its packages can't be had.
    """
    if rival.environment is None:
        return Path(sys.executable)
    command = [str(ROOT / "scripts" / "environment"), f"race/{rival.environment}"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip()) / "bin" / "python"


@dataclass(slots=True)
class _Memory:
    """The most seen so far."""

    peak_mib: float = 0.0
    _next: float = field(default=0.0)

    def look(self, process: Contestant) -> None:
        if time.monotonic() >= self._next:
            self.peak_mib = max(self.peak_mib, process.family_mib())
            self._next = time.monotonic() + _MEMORY_S


@dataclass(frozen=True, slots=True)
class Ran:
    """
    One run.

    Attributes:
        run: the figures.
        said: what was predicted.
        broker_us: CPU of the broker for each event, µs; None where it can't be seen.
    """

    run: Run
    said: Answers
    broker_us: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """
    Where all run.

    Attributes:
        topics: the broker's.
        sources: topics of events; by how many contestants are given at most (`Rival.most`).
        folder: for logs and settings.
        broker: its process, whose CPU is measured too; None: somewhere else.
    """

    topics: Topics
    sources: Mapping[int | None, str]
    folder: Path
    broker: int | None

    def run(self, name: str, model: str, package: Path, python: Path) -> Ran:
        """
        One run.

        Args:
            name: of `RIVALS`.
            model: its package's name in the table.
            package: the model's.
            python: what the contestant is started with.
        Raises: Died, Disagreement, TimeoutError.
        """
        rival = RIVALS[name]
        source = self.sources[rival.most]
        lane = Lane(self.topics, source, self.folder, f"{name}-{secrets.token_hex(4)}", package)
        wanted = self.topics.offsets(source)
        # Appended by the broker's clock, the same for all, whatever timestamps a contestant gives its records.
        self.topics.create(lane.target, PARTITIONS, message_timestamp_type="LogAppendTime")
        self.topics.create(lane.letters, 1)
        if rival.ready:
            self.topics.create(f"{lane.target}.requests", PARTITIONS)
        try:
            return self._measured(rival, lane, (name, model), python, wanted)
        finally:
            self.topics.delete(lane.target)
            self.topics.delete(lane.letters)
            self.topics.delete(f"{lane.target}.requests")

    def _measured(self, rival: Rival, lane: Lane, names: tuple[str, str], python: Path, wanted: int) -> Ran:
        name, model = names
        command = rival.command(lane, python)
        variables = dict(rival.variables(lane.folder / f"{lane.name}.json"))
        memory = _Memory()
        with Contestant(command, lane.folder / f"{lane.name}.log", variables) as process:
            if rival.ready:
                self._feed(lane, process, rival.ready)
            done = _watch(lane, process, lane.topics.offsets, 1, memory)
            cpu_s, broker_s = process.family_cpu_s(), self._broker_cpu_s()
            # Offsets are cheap to ask for while it runs; markers of transactions are among them, so at the end
            # the records that a read_committed reader has are counted.
            end = _watch(lane, process, lane.topics.offsets, wanted, memory)
            if rival.at_end or 2 * done >= wanted:
                # It writes in too large pieces to be looked at in between: its start-up is counted too.
                done, cpu_s = 0, 0.0
            cpu_us = (process.family_cpu_s() - cpu_s) / (end - done) * 1e6
            broker_us = (self._broker_cpu_s() - broker_s) / (end - done) * 1e6
            _watch(lane, process, lane.topics.records, wanted, memory)
        records = lane.topics.read(lane.target)
        said = _said(lane, responses(records) if rival.ready else records)
        if len(said.places) != wanted:
            raise Disagreement(f"{name} wrote {len(said.places)} predictions for {wanted} events")
        startup_s = min(said.timestamps_ms) / 1_000 - process.started
        rate = events_per_s(said.timestamps_ms)
        if rival.at_end:
            rate = wanted / (max(said.timestamps_ms) / 1_000 - process.started)
        run = Run(model, name, wanted, rate, cpu_us, startup_s, memory.peak_mib)
        return Ran(run, said, broker_us if self.broker else None)

    def _feed(self, lane: Lane, process: Contestant, ready: str) -> None:
        """Send the events as requests, once it reads."""
        requests = f"{lane.target}.requests"
        deadline = time.monotonic() + _READY_S
        while ready not in (lane.folder / f"{lane.name}.log").read_text(errors="replace"):
            process.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"its log does not say {ready!r} after {_READY_S:.0f} s")
            time.sleep(_LOOK_S)
        send_requests(self.topics, lane.source, requests)

    def _broker_cpu_s(self) -> float:
        return 0.0 if self.broker is None else process_cpu_s(self.broker)


def _watch(lane: Lane, process: Contestant, count: Callable[[str], int], wanted: int, memory: _Memory) -> int:
    """Wait until there are so many on the output topic."""
    deadline = time.monotonic() + _RUN_S
    while (there := count(lane.target)) < wanted:
        process.check()
        memory.look(process)
        if time.monotonic() > deadline:
            log = f"{lane.folder}/{lane.name}.log"
            raise TimeoutError(f"{there} of {wanted} predictions after {_RUN_S:.0f} s; log: {log}")
        time.sleep(_LOOK_S)
    memory.look(process)
    return there


def _said(lane: Lane, records: Iterable[Any]) -> Answers:
    current = (lane.package / "current").read_text().strip()
    schema = (lane.package / "versions" / current / "prediction.avsc").read_text()
    return answers(records, schema, single_object_prefix(RecordSchema(schema)))
