"""One contestant's run: its topics, its group, its settings, and how it is started."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fill import SCHEMA
from benchmarks.topics import Topics
from tests.kafka.process import free_ports

__all__ = ["Lane", "is_worker"]

_WORKER = re.compile(r"worker(?:-(?P<batch>[1-9][0-9]*))?(?P<alo>-alo)?")

_BY_HAND: Mapping[str, tuple[str, Sequence[str]]] = {
    "loop": ("loop", ()),
    "copy": ("loop", ("--copy",)),
    "hop": ("hop", ()),
    "faust": ("idiomatic", ()),
}
"""Module and arguments of each program that is not the worker."""


def is_worker(contestant: str) -> bool:
    """Whether it is `stream worker`: worker, worker-alo, worker-N or worker-N-alo."""
    return _WORKER.fullmatch(contestant) is not None


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

    def command(self, contestant: str) -> list[str]:
        """How the contestant is started."""
        worker = _WORKER.fullmatch(contestant)
        if worker:
            batch = f"[batching]\nmax_records = {worker['batch']}\n" if worker["batch"] else ""
            delivery = '[delivery]\nguarantee = "at-least-once"\n' if worker["alo"] else ""
            return [sys.executable, "-m", "stream", "worker", "--config", str(self.config(batch + delivery))]
        given = [
            f"--bootstrap={self.topics.bootstrap}",
            f"--source={self.source}",
            f"--target={self.target}",
            f"--group=bench.{self.name}",
            f"--package={self.package}",
            f"--schema={SCHEMA}",
        ]
        module, extra = _BY_HAND[contestant]
        return [sys.executable, "-m", f"benchmarks.contestants.{module}", *given, *extra]

    def config(self, extra: str) -> Path:
        """The worker's settings: where things are and `extra`, all else as it is."""
        file = self.folder / f"{self.name}.toml"
        file.write_text(
            f'[kafka]\nbootstrap_servers = "{self.topics.bootstrap}"\ngroup = "bench.{self.name}"\n'
            f'[model]\nuri = "{self.package}"\n'
            f'[input]\ntopic = "{self.source}"\nschema = "{SCHEMA}"\n'
            f'[output]\ntopic = "{self.target}"\n'
            f'[dead_letters]\ntopic = "{self.letters}"\n'
            f"[web]\nport = {free_ports(1)[0]}\n"
            f"{extra}"
        )
        return file
