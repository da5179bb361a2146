"""One contestant's run: its topics, its group, its settings, and how it is started."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants.task import Task, write_task
from benchmarks.entry import Entry
from benchmarks.fill import SCHEMA
from benchmarks.topics import Topics
from stream.codec import RecordSchema, single_object_prefix
from tests.kafka.process import free_ports

__all__ = ["Lane"]

_BY_HAND: Mapping[str, tuple[str, Sequence[str]]] = {
    "loop": ("loop", ()),
    "loop-transactions": ("loop", ("--transactions",)),
    "loop-plain": ("plain", ()),
    "copy": ("loop", ("--copy",)),
    "hop": ("hop", ()),
    "faust": ("idiomatic", ()),
    "faust-take": ("idiomatic", ("--take=10000",)),
}
"""Module and arguments of each program that is not the worker."""


@dataclass(frozen=True, slots=True)
class Lane:
    """
    One run's own: topics, group, files.

    Attributes:
        topics: the broker's.
        source: topic that is read.
        folder: for settings and logs.
        name: of the run; no other has it.
        package: the model's.
    """

    topics: Topics
    source: str
    folder: Path
    name: str
    package: Path

    @property
    def target(self) -> str:
        """The topic of predictions."""
        return f"bench.predictions.{self.name}"

    @property
    def letters(self) -> str:
        """The topic of dead letters."""
        return f"bench.deadletters.{self.name}"

    @property
    def group(self) -> str:
        """The consumer group."""
        return f"bench.{self.name}"

    def command(self, entry: Entry, process: int = 0) -> list[str]:
        """
        How a contestant is started.

        Args:
            entry: the contestant.
            process: which of its processes, from 0 on.
        """
        if entry.is_worker:
            batch = f"[batching]\nmax_records = {entry.batch}\n" if entry.batch else ""
            delivery = '[delivery]\nguarantee = "at-least-once"\n' if entry.at_least_once else ""
            config = self.config(batch + delivery, process)
            return [sys.executable, "-m", "stream", "worker", "--config", str(config)]
        module, extra = _BY_HAND[entry.program]
        return [sys.executable, "-m", f"benchmarks.contestants.{module}", f"--task={self.task()}", *extra]

    def task(self) -> Path:
        """What a contestant that is not the worker is to do, as a file."""
        version = self.package / "versions" / (self.package / "current").read_text().strip()
        manifest = json.loads((version / "manifest.json").read_text())
        event, prediction = SCHEMA.read_text(), (version / "prediction.avsc").read_text()
        own = self.folder / self.name
        own.mkdir(exist_ok=True)
        task = Task(
            bootstrap=self.topics.bootstrap,
            source=self.source,
            target=self.target,
            group=self.group,
            model=str(version / "model.joblib"),
            name=f"{manifest['name']}@{manifest['version']}",
            event=event,
            prediction=prediction,
            prefix_hex=single_object_prefix(RecordSchema(prediction)).hex(),
            prefix_bytes=len(single_object_prefix(RecordSchema(event))),
            folder=str(own),
        )
        file = self.folder / f"{self.name}.json"
        write_task(task, file)
        return file

    def config(self, extra: str, process: int = 0) -> Path:
        """The worker's settings: where things are and `extra`, all else as it is."""
        file = self.folder / f"{self.name}.{process}.toml"
        file.write_text(
            f'[kafka]\nbootstrap_servers = "{self.topics.bootstrap}"\ngroup = "{self.group}"\n'
            f'[model]\nuri = "{self.package}"\n'
            f'[input]\ntopic = "{self.source}"\nschema = "{SCHEMA}"\n'
            f'[output]\ntopic = "{self.target}"\n'
            f'[dead_letters]\ntopic = "{self.letters}"\n'
            f"[web]\nport = {free_ports(1)[0]}\n"
            f"{extra}"
        )
        return file
